/** Prices as rating sees them: which price and which rate card is in force when an hour begins. */
import { assert } from '../base/assert.ts'
import type { Currency } from '../base/money.ts'
import type { Period } from '../base/period.ts'
import { cutPeriod } from '../metering/metering.ts'
import type { PriceVersion } from '../products/products.ts'

/** A version of the cloud's own rates. */
export interface CloudRates {
  readonly version: number
  readonly effectiveAt: Date
  readonly currency: Currency
  /** Dimension → nano units of the major unit per unit. */
  readonly rates: ReadonlyMap<string, bigint>
}

/** A stretch of time in which one price and one rate card are in force. */
export interface PricePeriod extends Period {
  readonly price: PriceVersion
  /** Undefined where no rate card was ever loaded: then the cloud charges nothing. */
  readonly cloud: CloudRates | undefined
}

/**
 * Cuts a period where the price or the rate card changes, so that every part has one of each.
 *
 * A version is in force from its effective instant until the next one's. Before the first, the first is in force: no
 * subscription can be older than its product's first price, so this only keeps the first month whole.
 *
 * @param prices of one product, at least one, in any order
 */
export function pricePeriods(
  period: Period,
  prices: readonly PriceVersion[],
  cards: readonly CloudRates[],
): PricePeriod[] {
  const changes = [...withoutFirst(prices), ...withoutFirst(cards)].map((version) => version.effectiveAt)
  return cutPeriod(period, changes).map((part) => {
    const price = inForce(prices, part.start)
    assert(price !== undefined, 'a product that is rated has a price')
    return { ...part, price, cloud: inForce(cards, part.start) }
  })
}

interface Versioned {
  readonly version: number
  readonly effectiveAt: Date
}

function inOrder<V extends Versioned>(versions: readonly V[]): V[] {
  return versions.toSorted((a, b) => a.effectiveAt.getTime() - b.effectiveAt.getTime() || a.version - b.version)
}

function withoutFirst<V extends Versioned>(versions: readonly V[]): V[] {
  return inOrder(versions).slice(1)
}

function inForce<V extends Versioned>(versions: readonly V[], instant: Date): V | undefined {
  const ordered = inOrder(versions)
  return ordered.findLast((version) => version.effectiveAt <= instant) ?? ordered[0]
}
