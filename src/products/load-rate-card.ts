import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Fault } from '../base/fault.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Transaction } from '../database/database.ts'
import { parseDimension } from './dimension.ts'
import { forgetCardInForce } from './find-rate-card.ts'
import { parseRateCard } from './rate-card.ts'
import { findSoldOutside, insertRateCard, latestRateCard, lockRateCards, wasLoaded } from './store.ts'

/** Both `src/products/` and the emitted `dist/products/` lie two folders below the package. */
const sampleFile = fileURLToPath(new URL('../../rate-cards/sample.json', import.meta.url))

/**
 * Loads the file the configuration names (`rateCard`), or the sample shipped with Turnpike, when its like was never loaded:
 * what every process does when it starts. A file that was loaded before and replaced since stays replaced, so that
 * a restart does not undo `turnpike rate-card load`, nor processes with different files take turns.
 *
 * @throws Fault InvalidConfiguration when it cannot be read, or naming everything wrong with it
 */
export async function loadConfiguredRateCard(tx: Transaction): Promise<LoadedRateCard> {
  const file = tx.config.rateCard ?? sampleFile
  let fileText: string
  try {
    fileText = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Fault('InvalidConfiguration', `The rate card ${file} cannot be read: ${(error as Error).message}`)
  }
  await lockRateCards(tx)
  const latest = await latestRateCard(tx)
  const mayAdd = latest === undefined || tx.config.rateCard !== undefined
  if (mayAdd && !(await wasLoaded(tx, sha256Hex(fileText)))) return await loadRateCard(tx, fileText)
  const version = latest?.version ?? 0
  if (tx.config.rateCard !== undefined && latest?.sha256 !== sha256Hex(fileText)) {
    tx.log.warn({ file, version }, 'the configured rate card was replaced by a newer one, which stays in force')
  }
  return { version, loaded: false }
}

export interface LoadedRateCard {
  /** The version in force. */
  readonly version: number
  /** Whether this call made it. */
  readonly loaded: boolean
}

/**
 * Loads a rate card file. A file that differs from the one in force becomes a new version, effective now; the one
 * already in force changes nothing.
 *
 * A newer card keeps the currency (every product is priced in it) and a rate for everything that products are sold for:
 * hours already running could not be settled otherwise.
 *
 * @param fileText the JSON text of the file, see docs/operating/rate-card.md
 * @throws Fault InvalidConfiguration naming the JSON path of everything wrong
 */
export async function loadRateCard(tx: Transaction, fileText: string): Promise<LoadedRateCard> {
  const sha256 = sha256Hex(fileText)
  await lockRateCards(tx)
  const latest = await latestRateCard(tx)
  if (latest?.sha256 === sha256) return { version: latest.version, loaded: false }
  const card = parseRateCard(fileText)
  if (latest !== undefined && latest.currency !== card.currency) {
    throw new Fault(
      'InvalidConfiguration',
      `The rate card cannot be used:\n  - currency: it is ${card.currency}, and products are already priced in ${latest.currency}; a newer card keeps the currency.`,
    )
  }
  const missing = await findSoldOutside(tx, [...card.rates.keys()].map(parseDimension))
  if (missing.length > 0) {
    throw new Fault(
      'InvalidConfiguration',
      `The rate card cannot be used:\n${missing.map((text) => `  - rates: none for ${text}, which products are sold for; keep its rate`).join('\n')}`,
    )
  }
  const version = (latest?.version ?? 0) + 1
  await insertRateCard(tx, { ...card, version, sha256 })
  forgetCardInForce(tx)
  tx.log.info({ rateCard: card.name, version, rates: card.rates.size }, 'a new version of the rate card is in force')
  return { version, loaded: true }
}
