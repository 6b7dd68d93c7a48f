/**
 * The key behind a signature: asked once for every signed request.
 *
 * A key that was read is remembered for less than a second, counted from before the database was asked. So a change made
 * by another process bites within a second with nothing to break: LISTEN/NOTIFY was rejected, since a listener whose
 * connection died silently goes on trusting dead keys. A change made by this process is forgotten the moment its
 * transaction is durable, so there it bites at once. Requests that come together share one question.
 *
 * Unknown keys are not remembered, and no more than `keysRememberedMax` known ones are.
 */
import type { Database } from '../database/database.ts'
import type { SigningKey } from './accounts.ts'
import { selectSealedKey } from './store.ts'

/** Below one second by more than a slow question takes. */
const keyAgeMsMax = 800
const keysRememberedMax = 10_000
/** The check of the column: what cannot be a key costs no question. */
const accessKeyForm = /^[A-Z0-9]{16,32}$/

interface Remembered {
  readonly db: Database
  /** Monotonic milliseconds just before the database was asked. */
  readonly askedAtMs: number
  readonly key: Promise<SigningKey | undefined>
}

/** Oldest question first: a Map keeps the order of insertion. */
const remembered = new Map<string, Remembered>()

/**
 * The key with its secret, whether active or not; undefined when there is none.
 *
 * @param accessKeyId as the request has it, unchecked
 */
export function findAccessKey(db: Database, accessKeyId: string): Promise<SigningKey | undefined> {
  if (!accessKeyForm.test(accessKeyId)) return Promise.resolve(undefined)
  const askedAtMs = performance.now()
  const known = remembered.get(accessKeyId)
  if (known !== undefined && known.db === db && askedAtMs - known.askedAtMs < keyAgeMsMax) return known.key
  const asked: Remembered = { db, askedAtMs, key: readKey(db, accessKeyId) }
  remember(accessKeyId, asked)
  const forgetAgain = (): void => {
    if (remembered.get(accessKeyId) === asked) remembered.delete(accessKeyId)
  }
  asked.key.then((key) => key === undefined && forgetAgain(), forgetAgain)
  return asked.key
}

/** Lets the next question go to the database. Called when a change of the key is durable. */
export function forgetAccessKey(accessKeyId: string): void {
  remembered.delete(accessKeyId)
}

/** How many keys are held in memory. */
export function accessKeysRemembered(): number {
  return remembered.size
}

function remember(accessKeyId: string, asked: Remembered): void {
  remembered.delete(accessKeyId)
  remembered.set(accessKeyId, asked)
  if (remembered.size <= keysRememberedMax) return
  const [oldest] = remembered.keys()
  if (oldest !== undefined) remembered.delete(oldest)
}

async function readKey(db: Database, accessKeyId: string): Promise<SigningKey | undefined> {
  const row = await selectSealedKey(db.pool, accessKeyId)
  if (row === undefined) return undefined
  return {
    accountId: row.account_id,
    operator: row.operator,
    active: row.active,
    secret: db.sealer.open(row.secret_sealed, accessKeyId),
  }
}
