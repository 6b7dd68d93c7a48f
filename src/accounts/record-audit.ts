/** The audit log: every change of who may do what, written in the transaction that makes it. */
import { newUuid } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import type { AuditEntry } from './accounts.ts'
import { insertAuditEntry, selectAuditEntries } from './store.ts'

/**
 * Writes one entry.
 *
 * @param entry.accountId whose log it stands in: the account that was changed
 * @param entry.actor who did it: an account id, or `system`
 * @param entry.action what was done, such as `access-key.create`
 * @param entry.subject the id of what was changed
 * @param entry.detail what else a reader needs; never a secret
 */
export async function recordAudit(
  tx: Transaction,
  entry: { accountId: string; actor: string; action: string; subject: string; detail?: Record<string, unknown> },
): Promise<void> {
  await insertAuditEntry(tx, { ...entry, auditId: newUuid(), at: tx.now, detail: entry.detail ?? {} })
}

/** An account's log, latest first; 100 entries unless told. */
export async function listAudit(
  tx: Transaction,
  request: { accountId: string; limit?: number },
): Promise<AuditEntry[]> {
  return await selectAuditEntries(tx, request.accountId, request.limit ?? 100)
}
