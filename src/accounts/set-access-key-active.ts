import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import type { AccessKey } from './accounts.ts'
import { forgetAccessKey } from './find-access-key.ts'
import { recordAudit } from './record-audit.ts'
import { selectAccessKey, updateAccessKeyActive } from './store.ts'

/**
 * Activates or deactivates a key; saying what is already so changes nothing.
 *
 * An inactive key is refused at once on this server and within a second on others.
 *
 * @throws Fault NotFound when the account has no such key
 */
export async function setAccessKeyActive(
  tx: Transaction,
  request: { accountId: string; accessKeyId: string; active: boolean; actor: string },
): Promise<AccessKey> {
  const { accountId, accessKeyId, active, actor } = request
  const changed = await updateAccessKeyActive(tx, accountId, accessKeyId, active)
  const key = await selectAccessKey(tx, accountId, accessKeyId)
  if (key === undefined) throw noSuchAccessKey(accountId, accessKeyId)
  if (changed) {
    const action = active ? 'access-key.activate' : 'access-key.deactivate'
    await recordAudit(tx, { accountId, actor, action, subject: accessKeyId })
    tx.afterCommit(() => forgetAccessKey(accessKeyId))
  }
  return key
}

export function noSuchAccessKey(accountId: string, accessKeyId: string): Fault {
  return new Fault('NotFound', `Account ${accountId} has no access key ${accessKeyId}. Its keys are in the list.`)
}
