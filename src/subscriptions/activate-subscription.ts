import { recordAudit } from '../accounts/record-audit.ts'
import type { Transaction } from '../database/database.ts'
import { setActive, type SubscriptionReference } from './store.ts'
import type { Subscription } from './subscriptions.ts'
import { tellSellerOfSubscriber } from './tell-seller.ts'

/**
 * pending → active, and tells the seller of the new subscriber.
 *
 * @returns the subscription; undefined when it was not pending, and nothing changed
 */
export async function activateSubscription(
  tx: Transaction,
  of: SubscriptionReference,
): Promise<Subscription | undefined> {
  const subscription = await setActive(tx, of)
  if (subscription === undefined) return undefined
  await recordAudit(tx, {
    accountId: of.accountId,
    actor: 'system',
    action: 'subscription.activate',
    subject: of.subscriptionId,
    detail: { productCode: subscription.productCode },
  })
  await tellSellerOfSubscriber(tx, subscription)
  return subscription
}
