/** Gives a buyer money back, in the books at once and at the processor by a task. */
import { assert } from '../base/assert.ts'
import { newUuid } from '../base/ids.ts'
import { Fault } from '../base/fault.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Transaction } from '../database/database.ts'
import { planSettlement } from '../ledger/plan-settlement.ts'
import { post } from '../ledger/post.ts'
import {
  hasCancellationRefund,
  insertRefund,
  lockInvoice,
  refundBounds,
  succeededPayment,
  type RefundRow,
} from './store.ts'

/** Part of a collected bill to be given back. */
export type RefundRequest = Omit<RefundRow, 'refundId'>

/**
 * Starts the refund of part of a collected invoice: the seller's balance and the month's value-add shrink at once (the
 * transaction fee stays, spec §5), the processor is asked by the `refund.pay` task.
 *
 * Refunds never exceed what was captured with the bill, nor what the subscription was charged on it: the bill that was
 * captured is locked, whichever bills were carried into it.
 *
 * @returns the refund's id; undefined when this subscription's refund on this invoice was started before
 * @throws Fault IncorrectState when the invoice was not collected, or less is left of it than is to be refunded
 */
export async function startRefund(tx: Transaction, request: RefundRequest): Promise<string | undefined> {
  const invoice = await lockInvoice(tx, request)
  const collectedBy = invoice?.carriedInto ?? request.invoiceId
  if (collectedBy !== request.invoiceId) await lockInvoice(tx, { ...request, invoiceId: collectedBy })
  const payment = await succeededPayment(tx, request)
  if (invoice === undefined || payment === undefined) {
    throw new Fault('IncorrectState', 'Nothing was collected on that bill, so there is nothing to refund.')
  }
  assert(request.amount > 0n && request.currency === invoice.currency, 'a refund is of some of the bill’s own money')
  if (await hasCancellationRefund(tx, request)) return undefined
  const bounds = await refundBounds(tx, { ...request, collectedBy })
  if (
    bounds.refundedOfCapture + request.amount > payment.amount ||
    bounds.refundedOfSubscription + request.amount > bounds.chargedOfSubscription
  ) {
    throw new Fault('IncorrectState', 'The refunds of that bill would exceed what was collected on it.')
  }
  const refund = { ...request, refundId: newUuid() }
  await insertRefund(tx, refund)
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
  const { accountId, refundId } = refund
  await enqueue(tx, 'refund.pay', { accountId, refundId })
  return refundId
}
