import { Fault } from '../base/fault.ts'
import { newAccessKeyId, newSecretAccessKey } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import { accessKeysPerAccountMax } from './accounts.ts'
import { noSuchAccount } from './find-account.ts'
import { recordAudit } from './record-audit.ts'
import { insertAccessKey, lockAccount, selectAccessKeys } from './store.ts'

/** A new key, with its secret for the only time. */
export interface CreatedAccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly createdAt: Date
}

/**
 * Makes an active access key. Its secret is answered here and never again: only its sealed form is kept.
 *
 * @throws Fault NotFound when there is no such account, LimitExceeded when it has five keys
 */
export async function createAccessKey(
  tx: Transaction,
  request: { accountId: string; actor: string },
): Promise<CreatedAccessKey> {
  const { accountId, actor } = request
  // Locked, so that two tabs do not make a sixth key.
  if ((await lockAccount(tx, accountId)) === undefined) throw noSuchAccount(accountId)
  const keys = await selectAccessKeys(tx, accountId)
  if (keys.length >= accessKeysPerAccountMax) {
    throw new Fault(
      'LimitExceeded',
      `Account ${accountId} has ${keys.length} access keys, and ${accessKeysPerAccountMax} is the most. Delete one that is no longer used first.`,
    )
  }
  const accessKeyId = newAccessKeyId()
  const secretAccessKey = newSecretAccessKey()
  const sealed = tx.sealer.seal(secretAccessKey, accessKeyId)
  await insertAccessKey(tx, { accessKeyId, accountId, active: true, createdAt: tx.now }, sealed)
  await recordAudit(tx, { accountId, actor, action: 'access-key.create', subject: accessKeyId })
  return { accessKeyId, secretAccessKey, createdAt: tx.now }
}
