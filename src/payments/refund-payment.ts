/** The `refund.pay` task: returns a started refund's money at the processor. */
import { recordAudit } from '../accounts/record-audit.ts'
import type { Database } from '../database/database.ts'
import { post } from '../ledger/post.ts'
import { refundKey } from './payments.ts'
import type { Processor } from './processor.ts'
import { findRefund, settleRefund, succeededPayment } from './store.ts'

/**
 * Asks the processor under the refund's own key and records the answer once. A final refusal leaves the buyer's credit in
 * the books (`receivable`), is audited and logged for the operator.
 *
 * @throws Fault ProcessorUnavailable when the answer was lost: the task is tried again
 */
export async function refundPayment(
  db: Database,
  processor: Processor,
  reference: { accountId: string; refundId: string },
): Promise<void> {
  const { refund, payment } = await db.read(async (tx) => {
    const found = await findRefund(tx, reference.accountId, reference.refundId)
    return { refund: found, payment: found && (await succeededPayment(tx, found)) }
  })
  if (refund === undefined || payment === undefined || refund.state !== 'started') return
  const answer = await processor.refund({
    paymentId: payment.paymentId,
    amount: { minor: refund.amount, currency: refund.currency },
    idempotencyKey: refundKey(refund),
    metadata: { account_id: refund.accountId, refund_id: refund.refundId },
  })
  await db.transaction(async (tx) => {
    if (!(await settleRefund(tx, refund, answer.state, answer.refundId))) return
    if (answer.state === 'succeeded') {
      await post(tx, [
        {
          accountId: refund.accountId,
          kind: 'refund-paid',
          reference: refund.refundId,
          debit: 'receivable',
          credit: 'processor',
          amount: refund.amount,
          currency: refund.currency,
          invoiceId: refund.invoiceId,
        },
      ])
    } else {
      tx.log.error(
        { refund: refund.refundId, account: refund.accountId },
        'the processor refused a refund; the buyer keeps a credit',
      )
    }
    await recordAudit(tx, {
      accountId: refund.accountId,
      actor: 'system',
      action: `refund ${answer.state}`,
      subject: refund.refundId,
      detail: answer.state === 'failed' ? { message: answer.message } : {},
    })
  })
}
