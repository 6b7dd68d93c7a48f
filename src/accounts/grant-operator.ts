import type { Transaction } from '../database/database.ts'
import type { Account } from './accounts.ts'
import { requireAccount, requireOperator } from './find-account.ts'
import { forgetAccessKey } from './find-access-key.ts'
import { recordAudit } from './record-audit.ts'
import { selectAccessKeys, setOperator } from './store.ts'

/**
 * Makes an account an operator; granting it again changes nothing.
 *
 * @param request.actor an operator, or `system` (the command line on the operator's machine)
 * @throws Fault Forbidden when the actor is no operator, NotFound when there is no such account
 */
export async function grantOperator(tx: Transaction, request: { accountId: string; actor: string }): Promise<Account> {
  const { accountId, actor } = request
  await requireOperator(tx, actor)
  const account = await requireAccount(tx, accountId)
  if (!(await setOperator(tx, accountId))) return account
  await recordAudit(tx, { accountId, actor, action: 'account.grant-operator', subject: accountId })
  const keys = await selectAccessKeys(tx, accountId)
  tx.afterCommit(() => keys.forEach((key) => forgetAccessKey(key.accessKeyId)))
  return { ...account, operator: true }
}
