/** Collects an invoice: a started attempt is put to the processor and settled, once, by its answer. */
import type { Database } from '../database/database.ts'
import { attemptKey, outcomeOf, type Attempt, type Collected, type InvoiceReference, type Outcome } from './payments.ts'
import type { Charge, Processor } from './processor.ts'
import { settleAttempt } from './settle-attempt.ts'
import { noPaymentMethod, startAttempt } from './start-attempt.ts'
import { findAttempt, findCustomer } from './store.ts'

/**
 * Tries to collect an open or unpaid invoice from the buyer's card. Any number of calls, at once or after a crash, take
 * the money at most once: a started attempt is continued under its own key, never replaced.
 *
 * @returns what came of it; `processing` when the processor has not decided
 * @throws Fault ProcessorUnavailable when the answer was lost: the attempt stays started and its task goes on with it
 */
export async function collectInvoice(
  db: Database,
  processor: Processor,
  invoice: InvoiceReference,
): Promise<Collected> {
  const attempt = await db.transaction((tx) => startAttempt(tx, invoice))
  return attempt === undefined ? { state: 'nothing-due' } : await finish(db, processor, attempt)
}

/**
 * The `invoice.collect` task: finishes one attempt, and does nothing when it is settled.
 *
 * @throws Fault ProcessorUnavailable, or Error while the processor has not decided: the task is tried again later
 */
export async function finishAttempt(
  db: Database,
  processor: Processor,
  reference: InvoiceReference & { attemptNumber: number },
): Promise<Collected> {
  const attempt = await db.read((tx) => findAttempt(tx, reference))
  if (attempt === undefined) return { state: 'nothing-due' }
  const collected = await finish(db, processor, attempt)
  if (collected.state === 'processing') throw new Error(`the processor has not decided on ${attemptKey(attempt)} yet`)
  return collected
}

async function finish(db: Database, processor: Processor, attempt: Attempt): Promise<Collected> {
  const settled = outcomeOf(attempt)
  if (settled !== undefined) return settled
  const answer = attempt.paymentMethodId === noPaymentMethod ? noCard : await ask(db, processor, attempt)
  if (answer.state === 'processing') return { state: 'processing' }
  await db.transaction((tx) => settleAttempt(tx, attempt, answer))
  return answer
}

const noCard: Outcome = {
  state: 'failed',
  code: 'no_payment_method',
  message: 'There is no payment method on file.',
}

/**
 * Charges under the attempt's key: asked again, the processor gives the first answer again. Where it may have forgotten
 * the key, it is first asked whether it holds such a charge, since a repeat would take the money again.
 */
async function ask(db: Database, processor: Processor, attempt: Attempt): Promise<Charge> {
  const customer = await db.read((tx) => findCustomer(tx, attempt.accountId))
  const customerId = customer?.customerId ?? ''
  const idempotencyKey = attemptKey(attempt)
  if (attempt.keyMayBeForgotten) {
    const found = await processor.findCharge({ customerId, idempotencyKey })
    if (found.state !== 'absent') return found
  }
  const charge = await processor.charge({
    customerId,
    paymentMethodId: attempt.paymentMethodId,
    amount: { minor: attempt.amount, currency: attempt.currency },
    idempotencyKey,
    description: `Invoice ${attempt.invoiceId}`,
    metadata: {
      account_id: attempt.accountId,
      invoice_id: attempt.invoiceId,
      attempt_number: String(attempt.attemptNumber),
    },
  })
  if (charge.state !== 'processing') return charge
  // The first answer is replayed as it was; what became of the charge since is another question.
  const found = await processor.findCharge({ customerId, idempotencyKey })
  return found.state === 'absent' ? charge : found
}
