import type { Database, Transaction } from '../database/database.ts'
import { findSignUpInvoice } from '../invoices/find-invoice.ts'
import type { Invoice } from '../invoices/invoices.ts'
import { voidInvoice } from '../invoices/void-invoice.ts'
import { collectInvoice } from '../payments/collect.ts'
import { findCard } from '../payments/find-card.ts'
import type { Processor } from '../payments/processor.ts'
import { activateSubscription } from '../subscriptions/activate-subscription.ts'
import { failSubscription } from '../subscriptions/fail-subscription.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import { mailOrderCompleted, mailOrderFailed } from './order-mails.ts'

interface Reference {
  readonly accountId: string
  readonly subscriptionId: string
}

/** What vetting came to: `undecided` until an event of the processor tells the end and vetting is asked for again. */
export type Vetting = 'active' | 'failed' | 'undecided'

type Answer = { readonly accepted: true } | { readonly accepted: false; readonly message: string }

/**
 * The `order.vet` task (spec §4): collects the sign-up bill, or has the bank validate the card when nothing is to be
 * collected now; then the subscription is active, or it has failed and its bill is void.
 *
 * It may run any number of times, at once, and die anywhere. Until the end is written the subscription is pending, and a
 * repeat asks the same question: a sign-up bill has one attempt ever, under one key, and a validation changes nothing.
 * The end is one transaction behind a compare-and-set, so the first one stands.
 *
 * @throws Fault ProcessorUnavailable when the answer was lost: the task is tried again
 */
export async function vetOrder(db: Database, processor: Processor, order: Reference): Promise<Vetting> {
  const { state, invoice } = await db.read(async (tx) => ({
    state: (await findSubscription(tx, order))?.state,
    invoice: await findSignUpInvoice(tx, order),
  }))
  if (state !== 'pending') return state === 'active' ? 'active' : 'failed'
  const answer =
    invoice?.state === 'open' || invoice?.state === 'paid'
      ? await collect(db, processor, invoice)
      : await validate(db, processor, order)
  if (answer === undefined) return 'undecided'
  return await db.transaction((tx) => finish(tx, order, answer))
}

async function collect(db: Database, processor: Processor, invoice: Invoice): Promise<Answer | undefined> {
  if (invoice.state === 'paid') return { accepted: true }
  const collected = await collectInvoice(db, processor, invoice)
  switch (collected.state) {
    case 'succeeded':
      return { accepted: true }
    case 'failed':
      return { accepted: false, message: collected.message }
    case 'processing':
      return undefined
    case 'nothing-due':
      // Settled by another worker since it was read; that one's `order.vet` task, or this one's repeat, reads how.
      throw new Error(`invoice ${invoice.invoiceId} was settled while it was to be collected; vetting is tried again`)
  }
}

async function validate(db: Database, processor: Processor, order: Reference): Promise<Answer> {
  const card = await db.read((tx) => findCard(tx, order.accountId))
  if (card === undefined) return { accepted: false, message: 'There is no card on file.' }
  const validated = await processor.validateCard({
    customerId: card.customerId,
    paymentMethodId: card.paymentMethodId,
    idempotencyKey: `validate/${order.accountId}/${order.subscriptionId}/${card.paymentMethodId}`,
  })
  return validated.state === 'valid' ? { accepted: true } : { accepted: false, message: validated.message }
}

async function finish(tx: Transaction, order: Reference, answer: Answer): Promise<Vetting> {
  const subscription = answer.accepted ? await activateSubscription(tx, order) : await failSubscription(tx, order)
  if (subscription === undefined) {
    return (await findSubscription(tx, order))?.state === 'active' ? 'active' : 'failed'
  }
  const invoice = await findSignUpInvoice(tx, order)
  if (answer.accepted) {
    await mailOrderCompleted(tx, subscription, invoice)
    return 'active'
  }
  if (invoice !== undefined) await voidInvoice(tx, invoice)
  await mailOrderFailed(tx, subscription, answer.message)
  return 'failed'
}
