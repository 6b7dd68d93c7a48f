import type { Transaction } from '../database/database.ts'
import { forgetAccessKey } from './find-access-key.ts'
import { recordAudit } from './record-audit.ts'
import { noSuchAccessKey } from './set-access-key-active.ts'
import { removeAccessKey } from './store.ts'

/**
 * Deletes a key and its secret for good. It is refused at once on this server and within a second on others.
 *
 * @throws Fault NotFound when the account has no such key (any more)
 */
export async function deleteAccessKey(
  tx: Transaction,
  request: { accountId: string; accessKeyId: string; actor: string },
): Promise<void> {
  const { accountId, accessKeyId, actor } = request
  if (!(await removeAccessKey(tx, accountId, accessKeyId))) throw noSuchAccessKey(accountId, accessKeyId)
  await recordAudit(tx, { accountId, actor, action: 'access-key.delete', subject: accessKeyId })
  tx.afterCommit(() => forgetAccessKey(accessKeyId))
}
