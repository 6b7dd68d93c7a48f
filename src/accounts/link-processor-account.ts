import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import type { Seller } from './accounts.ts'
import { requireSeller } from './ensure-seller.ts'
import { recordAudit } from './record-audit.ts'
import { setProcessorAccount } from './store.ts'

/**
 * Keeps which account at the payment processor is the seller's. Written once; the same again changes nothing.
 *
 * @throws Fault NotFound when there is no such seller, Conflict when it has another one already
 */
export async function linkProcessorAccount(
  tx: Transaction,
  request: { sellerAccountId: string; processorAccountId: string; actor: string },
): Promise<Seller> {
  const { sellerAccountId, processorAccountId, actor } = request
  const linked = await setProcessorAccount(tx, sellerAccountId, processorAccountId)
  const seller = await requireSeller(tx, sellerAccountId)
  if (seller.processorAccountId !== processorAccountId) {
    throw new Fault('Conflict', `Seller ${sellerAccountId} already has an account at the payment processor.`)
  }
  if (linked) {
    const action = 'seller.link-processor-account'
    await recordAudit(tx, { accountId: sellerAccountId, actor, action, subject: processorAccountId })
  }
  return seller
}
