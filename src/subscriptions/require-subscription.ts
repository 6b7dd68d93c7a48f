import { publicUrlOf } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { purchaseUrl, type Product } from '../products/products.ts'
import { selectLive, selectRefusal } from './store.ts'
import type { RowLock, Subscription } from './subscriptions.ts'

/**
 * Lets a launch pass only with an active subscription (spec §11). On the hot path of every launch: one query when it
 * passes, a second one only to say why it does not.
 *
 * @param request.lock `share` for what must not pass a cancellation by: launches and starts
 * @throws Fault NotSubscribed (`data.purchaseUrl`), also while the order is being vetted; SubscriptionSuspended
 * (`data.billingUrl`) when the subscription ended for a debt that still stands
 */
export async function requireActiveSubscription(
  tx: Transaction,
  request: {
    readonly accountId: string
    readonly product: Pick<Product, 'productCode' | 'offeringCode' | 'name'>
    readonly lock?: RowLock | undefined
  },
): Promise<Subscription> {
  const { accountId, product, lock } = request
  const live = await selectLive(tx, { accountId, productCode: product.productCode, lock })
  if (live?.state === 'active') return live
  const publicUrl = publicUrlOf(tx.config)
  const url = purchaseUrl(publicUrl, product.offeringCode)
  if (live !== undefined) {
    throw new Fault(
      'NotSubscribed',
      `Your order of ${product.name} is still being vetted; try again in a moment. Its state: ${url}`,
      { data: { purchaseUrl: url, productCode: product.productCode } },
    )
  }
  const { endReason, inDebt } = await selectRefusal(tx, { accountId, productCode: product.productCode })
  if (endReason === 'non-payment' && inDebt) {
    const billingUrl = `${publicUrl}/billing`
    throw new Fault(
      'SubscriptionSuspended',
      `Your subscription to ${product.name} ended because a bill was not paid. Pay it at ${billingUrl}, then subscribe again.`,
      { data: { billingUrl, purchaseUrl: url, productCode: product.productCode } },
    )
  }
  throw new Fault(
    'NotSubscribed',
    `You are not subscribed to ${product.name} (product code ${product.productCode}). Subscribe at ${url}`,
    { data: { purchaseUrl: url, productCode: product.productCode } },
  )
}
