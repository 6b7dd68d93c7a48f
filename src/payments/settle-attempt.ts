/** Records what came of an attempt, once, and everything that follows from it in the same transaction. */
import { findAccount } from '../accounts/find-account.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { publicUrlOf } from '../base/config.ts'
import { displayAmount } from '../base/money.ts'
import type { Transaction } from '../database/database.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { planSettlement } from '../ledger/plan-settlement.ts'
import { post, type NewTransfer } from '../ledger/post.ts'
import { writeMail } from '../notices/write-mail.ts'
import { endSubscription } from '../subscriptions/end-subscription.ts'
import { attemptKey, nextAttemptAt, type Attempt, type Outcome } from './payments.ts'
import { startAttempt } from './start-attempt.ts'
import {
  cancelledOn,
  findAttempt,
  linesCollectedBy,
  lockInvoice,
  markPaid,
  markUnpaid,
  planAttempt,
  recordOutcome,
  selectCard,
  type CollectableInvoice,
  type CollectedLine,
} from './store.ts'

/**
 * started → succeeded or failed. Called with the processor's answer and with its events, in any order and any number of
 * times: the first settles, the rest change nothing.
 *
 * Success: the invoice (and every bill carried into it) is paid, the sellers' deposits and transaction fees are booked,
 * their settlement planned; what a cancellation meanwhile left unused is given back by a task. Failure of a monthly bill: the next attempt is planned, or the debt stands and the bill's
 * subscriptions end (spec §6); or, where the buyer has entered another card meanwhile, that one is tried at once. A sign-up's
 * order hears of either.
 *
 * @returns whether this call settled it
 */
export async function settleAttempt(tx: Transaction, attempt: Attempt, outcome: Outcome): Promise<boolean> {
  const invoice = await lockInvoice(tx, attempt)
  if (invoice === undefined) return false
  if (!(await recordOutcome(tx, attempt, outcome))) {
    await reportContradiction(tx, attempt, outcome)
    return false
  }
  const lines = await linesCollectedBy(tx, attempt)
  if (outcome.state === 'succeeded') await bookCapture(tx, invoice, attempt, lines)
  else if (invoice.kind === 'monthly') await planAfterFailure(tx, invoice, attempt, lines, outcome.message)
  if (invoice.kind === 'sign-up' && invoice.subscriptionId !== null) {
    await enqueue(tx, 'order.vet', { accountId: invoice.accountId, subscriptionId: invoice.subscriptionId })
  }
  await recordAudit(tx, {
    accountId: invoice.accountId,
    actor: 'system',
    action: `payment ${outcome.state}`,
    subject: invoice.invoiceId,
    detail: {
      attempt: attempt.attemptNumber,
      amount: displayAmount({ minor: attempt.amount, currency: attempt.currency }),
      ...(outcome.state === 'failed' && { code: outcome.code }),
    },
  })
  return true
}

/** The processor has never said both of one attempt; should it, money may have been taken that the books do not know. */
async function reportContradiction(tx: Transaction, attempt: Attempt, outcome: Outcome): Promise<void> {
  const settled = await findAttempt(tx, attempt)
  if (settled === undefined || settled.state === outcome.state) return
  tx.log.error(
    { attempt: attemptKey(attempt), settled: settled.state, told: outcome },
    'the processor contradicts what it said of an attempt before; compare the two at the processor',
  )
}

async function bookCapture(
  tx: Transaction,
  invoice: CollectableInvoice,
  attempt: Attempt,
  lines: readonly CollectedLine[],
): Promise<void> {
  await markPaid(tx, invoice)
  const charged = lines.filter((line) => line.amount > 0n)
  await post(tx, [
    {
      accountId: invoice.accountId,
      kind: 'paid',
      reference: `${invoice.invoiceId}/${attempt.attemptNumber}`,
      debit: 'processor',
      credit: 'receivable',
      amount: attempt.amount,
      currency: attempt.currency,
      invoiceId: invoice.invoiceId,
    },
    ...charged.map((line) => deposit(invoice, line)),
    ...transactionFees(tx, invoice, charged),
  ])
  await planSettlement(
    tx,
    charged.map(({ productCode, month }) => ({ accountId: invoice.accountId, productCode, month })),
  )
  for (const subscriptionId of await cancelledOn(tx, invoice)) {
    await enqueue(tx, 'subscription.refund', { accountId: invoice.accountId, subscriptionId })
  }
  if (invoice.kind === 'monthly') await mailReceipt(tx, invoice, attempt)
}

function deposit(invoice: CollectableInvoice, line: CollectedLine): NewTransfer {
  return {
    accountId: invoice.accountId,
    kind: 'deposited',
    reference: `${line.invoiceId}/${line.lineNumber}`,
    debit: 'expected-revenue',
    credit: 'seller-balance',
    amount: line.amount,
    currency: invoice.currency,
    sellerAccountId: line.sellerAccountId,
    productCode: line.productCode,
    month: line.month,
    invoiceId: line.invoiceId,
  }
}

/** One fee per product on the collected bill, taken from the deposit at once (spec §7); in the bill's month. */
function transactionFees(
  tx: Transaction,
  invoice: CollectableInvoice,
  charged: readonly CollectedLine[],
): NewTransfer[] {
  if (tx.config.transactionFee === 0n) return []
  const sellerOfProduct = new Map(charged.map((line) => [line.productCode, line.sellerAccountId]))
  return [...sellerOfProduct].map(([productCode, sellerAccountId]) => ({
    accountId: invoice.accountId,
    kind: 'transaction-fee',
    reference: `${invoice.invoiceId}/${productCode}`,
    debit: 'seller-balance',
    credit: 'transaction-fees',
    amount: tx.config.transactionFee,
    currency: invoice.currency,
    sellerAccountId,
    productCode,
    month: invoice.month,
    invoiceId: invoice.invoiceId,
  }))
}

async function planAfterFailure(
  tx: Transaction,
  invoice: CollectableInvoice,
  attempt: Attempt,
  lines: readonly CollectedLine[],
  reason: string,
): Promise<void> {
  const card = await selectCard(tx, invoice.accountId)
  if (card !== undefined && card.paymentMethodId !== attempt.paymentMethodId) {
    await startAttempt(tx, invoice)
    return
  }
  const amount = displayAmount({ minor: attempt.amount, currency: attempt.currency })
  // A debt whose plan is used up stays as it is; only the buyer tries again.
  if (invoice.state !== 'open') {
    await mailFailure(tx, invoice, attempt, reason, {
      kind: 'payment-failed',
      subject: `Your payment of ${amount} failed`,
      consequence: 'The debt stands; pay the bill to be able to subscribe again.',
    })
    return
  }
  const next = nextAttemptAt(invoice.issuedAt, attempt.startedAt, tx.config.retryDays)
  if (next !== undefined) {
    await planAttempt(tx, invoice, next)
    const day = (next < tx.now ? tx.now : next).toISOString().slice(0, 10)
    await mailFailure(tx, invoice, attempt, reason, {
      kind: 'payment-failed',
      subject: `Your payment of ${amount} failed`,
      consequence: `We will try again on ${day}. Until then nothing changes; a new card is charged at once.`,
    })
    return
  }
  if (!(await markUnpaid(tx, invoice))) return
  for (const subscriptionId of new Set(lines.map((line) => line.subscriptionId))) {
    await endSubscription(tx, { accountId: invoice.accountId, subscriptionId, reason: 'non-payment' })
  }
  await mailFailure(tx, invoice, attempt, reason, {
    kind: 'subscriptions-ended',
    subject: `Your subscriptions have ended: the bill of ${invoice.month} was not paid`,
    consequence:
      'That was the last attempt. The subscriptions on this bill have ended; pay the bill to be able to subscribe again.',
  })
}

function billingUrl(tx: Transaction): string {
  return `${publicUrlOf(tx.config)}/billing`
}

async function mailReceipt(tx: Transaction, invoice: CollectableInvoice, attempt: Attempt): Promise<void> {
  const account = await findAccount(tx, invoice.accountId)
  if (account === undefined) return
  const amount = displayAmount({ minor: attempt.amount, currency: attempt.currency })
  await writeMail(tx, {
    reference: `paid/${invoice.accountId}/${invoice.invoiceId}`,
    kind: 'bill-paid',
    accountId: invoice.accountId,
    recipient: account.email,
    subject: `Your bill for ${invoice.month} is paid: ${amount}`,
    paragraphs: [`We charged ${amount} for your bill of ${invoice.month}. Thank you.`],
    action: { label: 'See your bills', url: billingUrl(tx) },
  })
}

async function mailFailure(
  tx: Transaction,
  invoice: CollectableInvoice,
  attempt: Attempt,
  reason: string,
  told: { kind: 'payment-failed' | 'subscriptions-ended'; subject: string; consequence: string },
): Promise<void> {
  const account = await findAccount(tx, invoice.accountId)
  if (account === undefined) return
  const amount = displayAmount({ minor: attempt.amount, currency: attempt.currency })
  await writeMail(tx, {
    reference: `payment-failed/${invoice.accountId}/${invoice.invoiceId}/${attempt.attemptNumber}`,
    kind: told.kind,
    accountId: invoice.accountId,
    recipient: account.email,
    subject: told.subject,
    paragraphs: [`We could not charge ${amount} for your bill of ${invoice.month}: ${reason}`, told.consequence],
    action: { label: 'Pay or change your card', url: billingUrl(tx) },
  })
}
