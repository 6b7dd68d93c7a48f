/** Gives a buyer money back, in the books at once and at the processor by a task. */
import { newUuid } from '../base/ids.ts'
import type { Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'
import { Fault } from '../base/fault.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Transaction } from '../database/database.ts'
import { planSettlement } from '../ledger/plan-settlement.ts'
import { post } from '../ledger/post.ts'
import { insertRefund, lockInvoice, refundedOf, succeededPayment } from './store.ts'

export interface RefundRequest {
  readonly accountId: string
  readonly invoiceId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  /** The month whose revenue it lessens. */
  readonly month: Month
  readonly reason: 'cancellation'
  /** Minor units, more than zero. */
  readonly amount: bigint
  readonly currency: Currency
}

/**
 * Starts the refund of part of a collected invoice: the seller's balance and the month's value-add shrink at once (the
 * transaction fee stays, spec §5), the processor is asked by the `refund.pay` task.
 *
 * @returns the refund's id; undefined when this subscription's refund on this invoice was started before
 * @throws Fault IncorrectState when the invoice was not collected, or less is left of it than is to be refunded
 */
export async function startRefund(tx: Transaction, request: RefundRequest): Promise<string | undefined> {
  const invoice = await lockInvoice(tx, request)
  const payment = await succeededPayment(tx, request)
  if (invoice === undefined || payment === undefined) {
    throw new Fault('IncorrectState', 'Nothing was collected on that bill, so there is nothing to refund.')
  }
  const refund = { ...request, refundId: newUuid() }
  if (!(await insertRefund(tx, refund))) return undefined
  // Read under the invoice's lock, the new refund included: refunds never exceed what was taken.
  if ((await refundedOf(tx, request)) > payment.amount) {
    throw new Fault('IncorrectState', 'The refunds of that bill would exceed what was collected on it.')
  }
  await post(tx, [
    {
      accountId: request.accountId,
      kind: 'refunded',
      reference: refund.refundId,
      debit: 'seller-balance',
      credit: 'receivable',
      amount: request.amount,
      currency: request.currency,
      sellerAccountId: request.sellerAccountId,
      productCode: request.productCode,
      month: request.month,
      invoiceId: request.invoiceId,
    },
  ])
  await planSettlement(tx, [request])
  await enqueue(tx, 'refund.pay', { accountId: request.accountId, refundId: refund.refundId })
  return refund.refundId
}
