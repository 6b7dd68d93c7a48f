import { assert } from '../base/assert.ts'
import type { Period } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import type { Segment } from '../metering/metering.ts'
import { pricePeriods, type CloudRates, type PricePeriod } from './rating.ts'
import { selectPrices, selectRateCards, type PriceRow, type VersionRow } from './store.ts'

/**
 * The prices of a period, read as products are asked for and kept: closing a month asks for the same products once per
 * cohort of accounts. Keep one only for as long as the prices of its period cannot change, which is certain of the past.
 */
export class PriceBook {
  readonly period: Period
  #cloud: readonly CloudRates[] | undefined
  readonly #products = new Map<string, readonly PricePeriod[]>()

  constructor(period: Period) {
    this.period = period
  }

  /** Reads what of these products it does not hold yet. */
  async load(tx: Transaction, productCodes: Iterable<string>): Promise<void> {
    const missing = [...new Set(productCodes)].filter((code) => !this.#products.has(code))
    if (missing.length === 0) return
    const cloud = this.#cloud ?? (await selectRateCards(tx, this.period)).map(cloudRatesOf)
    const rows = Map.groupBy(await selectPrices(tx, missing, this.period), (row) => row.productCode)
    this.#cloud = cloud
    for (const code of missing) {
      this.#products.set(code, pricePeriods(this.period, (rows.get(code) ?? []).map(priceOf), cloud))
    }
  }

  /** The parts of the period in which one price and one rate card of a loaded product are in force, in order. */
  periodsOf(productCode: string): readonly PricePeriod[] {
    const periods = this.#products.get(productCode)
    assert(periods !== undefined, `the prices of product ${productCode} are loaded`)
    return periods
  }

  /** The part that begins at an instant. */
  periodAt(productCode: string, start: Date): PricePeriod {
    const found = this.periodsOf(productCode).find((part) => part.start.getTime() === start.getTime())
    assert(found !== undefined, `a price period of product ${productCode} begins at ${start.toISOString()}`)
    return found
  }

  /** What usage of these products is to be counted by. */
  segments(productCodes: Iterable<string>): Segment[] {
    return [...new Set(productCodes)].flatMap((productCode) =>
      this.periodsOf(productCode).map(({ start, end }) => ({ productCode, start, end })),
    )
  }
}

function ratesOf(row: VersionRow): Map<string, bigint> {
  return new Map(row.dimensions.map((dimension, index) => [dimension, row.rates[index] ?? 0n]))
}

function cloudRatesOf(row: VersionRow): CloudRates {
  return { version: row.version, effectiveAt: row.effectiveAt, currency: row.currency, rates: ratesOf(row) }
}

function priceOf(row: PriceRow): PricePeriod['price'] {
  const { productCode, version, effectiveAt, currency, oneTime, monthly } = row
  return { productCode, version, effectiveAt, currency, oneTime, monthly, rates: ratesOf(row) }
}
