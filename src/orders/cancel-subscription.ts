import { requireOperator } from '../accounts/find-account.ts'
import { Fault } from '../base/fault.ts'
import type { Amount } from '../base/money.ts'
import { monthOf } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { findMonthlyCharge } from '../invoices/find-invoice.ts'
import { endSubscription } from '../subscriptions/end-subscription.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import { mailCancelled } from './order-mails.ts'
import { refundUnused } from './refund-unused.ts'

export interface Cancellation {
  readonly subscription: Subscription
  /** Whether this call ended it; false when it had ended before, and nothing changed. */
  readonly cancelled: boolean
  /** What is given back for the days after today; missing when nothing is. */
  readonly refund?: Amount
}

/**
 * Cancels a subscription at once (spec §5): new launches are refused from now on, the unused part of this month's charge
 * is refunded if it was collected (`unusedCharge` has the rule), the one-time charge never is, and the use so far is on
 * the bill of the 1st. Of a charge that is still being collected the unused part is given back once it is collected, by the
 * `subscription.refund` task.
 *
 * @param request.actor the buyer's account id, or an operator's, or `system`
 * @throws Fault NotFound, Forbidden for anyone else, IncorrectState while the order is being vetted
 */
export async function cancelSubscription(
  tx: Transaction,
  request: { readonly accountId: string; readonly subscriptionId: string; readonly actor: string },
): Promise<Cancellation> {
  const { accountId, subscriptionId, actor } = request
  if (actor !== accountId) await requireOperator(tx, actor)
  await requireCancellable(tx, request)
  // The bill is locked before the subscription, as collecting does when a last failed attempt ends the bill's subscriptions.
  const charge = await findMonthlyCharge(tx, { accountId, subscriptionId, month: monthOf(tx.now) })
  const reason = actor === accountId ? 'cancelled-by-buyer' : 'cancelled-by-operator'
  const cancelled = await endSubscription(tx, { accountId, subscriptionId, reason, actor })
  const subscription = await requireCancellable(tx, request)
  if (!cancelled) return { subscription, cancelled }
  const refund = charge?.invoiceState === 'paid' ? await refundUnused(tx, subscription, charge) : undefined
  await mailCancelled(tx, subscription, refund)
  return { subscription, cancelled, ...(refund === undefined ? {} : { refund }) }
}

async function requireCancellable(
  tx: Transaction,
  request: { readonly accountId: string; readonly subscriptionId: string },
): Promise<Subscription> {
  const subscription = await findSubscription(tx, request)
  if (subscription === undefined) throw new Fault('NotFound', `There is no subscription ${request.subscriptionId}.`)
  if (subscription.state === 'pending') {
    throw new Fault('IncorrectState', 'The order is still being vetted; cancel in a moment, when its outcome is known.')
  }
  return subscription
}
