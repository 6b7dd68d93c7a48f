import { recordAudit } from '../accounts/record-audit.ts'
import { addMs, minuteMs } from '../base/time.ts'
import type { Transaction } from '../database/database.ts'
import { requireProduct } from '../products/find-product.ts'
import { selectSubscription, setCancelled, type SubscriptionReference } from './store.ts'
import type { CancelReason } from './subscriptions.ts'
import { tellSellerOfEnd } from './tell-seller.ts'

/**
 * active → cancelled: new launches are refused from now on, the end-of-access policy is due after the grace period
 * (spec §6), and the seller is told. Money is the orders room's matter (`cancelSubscription`).
 *
 * @param request.actor who ends it: an account id, or `system` (default)
 * @returns whether this call ended it; false when it was not active, and nothing changed
 */
export async function endSubscription(
  tx: Transaction,
  request: SubscriptionReference & { readonly reason: CancelReason; readonly actor?: string | undefined },
): Promise<boolean> {
  const before = await selectSubscription(tx, request)
  if (before === undefined) return false
  const product = await requireProduct(tx, before.productCode)
  const graceMs = tx.config.endOfAccessGraceMinutes * minuteMs
  const subscription = await setCancelled(tx, {
    ...request,
    endOfAccessDueAt: product.endOfAccessPolicy === 'leave-running' ? undefined : addMs(tx.now, graceMs),
  })
  if (subscription === undefined) return false
  await recordAudit(tx, {
    accountId: request.accountId,
    actor: request.actor ?? 'system',
    action: 'subscription.end',
    subject: request.subscriptionId,
    detail: { productCode: subscription.productCode, reason: request.reason },
  })
  await tellSellerOfEnd(tx, subscription, product)
  return true
}
