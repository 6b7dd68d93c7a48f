/** Writes the intention to collect an invoice, with the task that carries it out: what comes next survives any crash. */
import { enqueue } from '../jobs/enqueue.ts'
import type { Transaction } from '../database/database.ts'
import type { Attempt, InvoiceReference } from './payments.ts'
import { insertAttempt, lastAttempt, lockInvoice, selectCard } from './store.ts'

/** Recorded instead of a payment method where the buyer has none; such an attempt fails without asking the processor. */
export const noPaymentMethod = 'none'

/**
 * Starts an attempt on an open or unpaid invoice with something due, on the buyer's present card. An attempt already
 * started is the one returned; of a sign-up's invoice the one attempt it ever has, settled or not.
 *
 * @returns undefined when there is nothing to collect
 */
export async function startAttempt(tx: Transaction, invoice: InvoiceReference): Promise<Attempt | undefined> {
  const found = await lockInvoice(tx, invoice)
  if (found === undefined || found.amountDue === 0n) return undefined
  const last = await lastAttempt(tx, invoice)
  if (last !== undefined && (last.state === 'started' || found.kind === 'sign-up')) return last
  if (found.state !== 'open' && found.state !== 'unpaid') return undefined
  const card = await selectCard(tx, invoice.accountId)
  const attempt = await insertAttempt(tx, found, card?.paymentMethodId ?? noPaymentMethod)
  const { accountId, invoiceId, attemptNumber } = attempt
  await enqueue(tx, 'invoice.collect', { accountId, invoiceId, attemptNumber })
  return attempt
}
