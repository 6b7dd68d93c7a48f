import type { Transaction } from '../database/database.ts'
import type { Seller } from './accounts.ts'
import { requireSeller } from './ensure-seller.ts'
import { requireOperator } from './find-account.ts'
import { recordAudit } from './record-audit.ts'
import { setBankAccountVerified } from './store.ts'

/**
 * Records that a seller's bank account is the seller's: from now on it is paid (spec §7). Saying it again changes nothing.
 *
 * @param request.actor an operator, or `system`
 * @throws Fault Forbidden when the actor is no operator, NotFound when there is no such seller
 */
export async function verifyBankAccount(
  tx: Transaction,
  request: { sellerAccountId: string; actor: string },
): Promise<Seller> {
  const { sellerAccountId, actor } = request
  await requireOperator(tx, actor)
  if (await setBankAccountVerified(tx, sellerAccountId)) {
    const action = 'seller.verify-bank-account'
    await recordAudit(tx, { accountId: sellerAccountId, actor, action, subject: sellerAccountId })
  }
  return await requireSeller(tx, sellerAccountId)
}
