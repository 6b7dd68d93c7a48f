import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { instanceHours } from './dimension.ts'
import { openCatalog, type CloudCatalog, type RateCard } from './rate-card.ts'
import { readRateCard, versionInForce, type RateCardVersion } from './store.ts'

/**
 * Opened cards. A version never changes once written, so what was read stays true; which version is in force is asked
 * every time, since another process may have loaded a newer one. The digest is in the key because two databases of one
 * process (tests) have different first versions.
 */
const opened = new Map<string, RateCard>()
const openedMax = 16

/** The card in force now, as a transaction found it: a launch asks for the region, then for the type and the zone. */
const foundBy = new WeakMap<Transaction, RateCard>()

/** Called when a transaction has loaded a card. */
export function forgetCardInForce(tx: Transaction): void {
  foundBy.delete(tx)
}

/**
 * The cloud's rates at an instant: the version with the latest effective instant not after it. A transaction that asks for
 * its own instant again gets the same card.
 *
 * @throws Fault InvalidConfiguration when no card was in force then
 */
export async function rateCardInForce(tx: Transaction, at: Date): Promise<RateCard> {
  if (at.getTime() !== tx.now.getTime()) return await findInForce(tx, at)
  const found = foundBy.get(tx) ?? (await findInForce(tx, at))
  foundBy.set(tx, found)
  return found
}

async function findInForce(tx: Transaction, at: Date): Promise<RateCard> {
  const version = await versionInForce(tx, at)
  if (version === undefined) {
    throw new Fault(
      'InvalidConfiguration',
      `No rate card was in force at ${at.toISOString()}; load one as docs/operating/rate-card.md says.`,
    )
  }
  const key = `${version.sha256}:${version.version}:${version.effectiveAt.toISOString()}`
  const known = opened.get(key)
  if (known !== undefined) return known
  const card = await open(tx, version)
  if (opened.size >= openedMax) opened.delete(opened.keys().next().value ?? '')
  opened.set(key, card)
  return card
}

/** What the cloud offers now: regions with their zones, environments, instance types. */
export async function cloudCatalog(tx: Transaction): Promise<CloudCatalog> {
  return (await rateCardInForce(tx, tx.now)).catalog
}

async function open(tx: Transaction, version: RateCardVersion): Promise<RateCard> {
  const { catalog, rates } = await readRateCard(tx, version.version)
  return {
    version: version.version,
    name: version.name,
    currency: version.currency,
    effectiveAt: version.effectiveAt,
    catalog: openCatalog(catalog),
    rates,
    offers: (configuration) => rates.has(instanceHours(configuration)),
    rateOf(dimension) {
      const rate = rates.get(dimension)
      if (rate === undefined) throw new Error(`rate card version ${version.version} has no rate for ${dimension}`)
      return rate
    },
  }
}
