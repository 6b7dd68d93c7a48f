import { recordAudit } from '../accounts/record-audit.ts'
import type { Transaction } from '../database/database.ts'
import { setFailed, type SubscriptionReference } from './store.ts'
import type { Subscription } from './subscriptions.ts'

/**
 * pending → failed: the initial charge or the card was refused. The seller is not told of a buyer who never was one.
 *
 * @returns the subscription; undefined when it was not pending, and nothing changed
 */
export async function failSubscription(tx: Transaction, of: SubscriptionReference): Promise<Subscription | undefined> {
  const subscription = await setFailed(tx, of)
  if (subscription === undefined) return undefined
  await recordAudit(tx, {
    accountId: of.accountId,
    actor: 'system',
    action: 'subscription.fail',
    subject: of.subscriptionId,
    detail: { productCode: subscription.productCode, reason: 'payment-refused' },
  })
  return subscription
}
