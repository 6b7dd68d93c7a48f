/** Gives back the unused part of a month's charge: at the cancellation, or once a charge open at that time is collected. */
import type { Amount } from '../base/money.ts'
import { monthOf } from '../base/period.ts'
import type { Database, Transaction } from '../database/database.ts'
import { findMonthlyCharge } from '../invoices/find-invoice.ts'
import { startRefund } from '../payments/start-refund.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import { mailRefunded } from './order-mails.ts'
import { unusedPart } from './preview-cancellation.ts'

/**
 * @param charge of the month the subscription ended in, collected, its bill locked
 * @returns what is given back; undefined when nothing is, or was before
 */
export async function refundUnused(
  tx: Transaction,
  subscription: Subscription,
  charge: NonNullable<Awaited<ReturnType<typeof findMonthlyCharge>>>,
): Promise<Amount | undefined> {
  const { accountId, subscriptionId, productCode, sellerAccountId, endedAt } = subscription
  if (endedAt === undefined) return undefined
  const refund = await unusedPart(tx, { productCode, charge, endsAt: endedAt })
  if (refund === undefined) return undefined
  const refundId = await startRefund(tx, {
    accountId,
    invoiceId: charge.invoiceId,
    subscriptionId,
    productCode,
    sellerAccountId,
    month: monthOf(endedAt),
    reason: 'cancellation',
    amount: refund.minor,
    currency: refund.currency,
  })
  return refundId === undefined ? undefined : refund
}

/**
 * The `subscription.refund` task: a charge was collected after its subscription was cancelled, so its unused part goes back
 * now. Runs any number of times; the first gives back. A debt that ended the subscription is owed whole.
 */
export async function refundCollectedLate(
  db: Database,
  of: { readonly accountId: string; readonly subscriptionId: string },
): Promise<void> {
  await db.transaction(async (tx) => {
    const subscription = await findSubscription(tx, of)
    if (subscription?.state !== 'cancelled' || subscription.endReason === 'non-payment') return
    if (subscription.endedAt === undefined) return
    const charge = await findMonthlyCharge(tx, { ...of, month: monthOf(subscription.endedAt) })
    if (charge?.invoiceState !== 'paid') return
    const refund = await refundUnused(tx, subscription, charge)
    if (refund !== undefined) await mailRefunded(tx, subscription, refund)
  })
}
