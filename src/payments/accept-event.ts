/** Takes in the processor's webhooks: verified, written once, acknowledged only when durable, applied by a task. */
import { isUuid } from '../base/ids.ts'
import { Fault } from '../base/fault.ts'
import type { Database } from '../database/database.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { attemptKey, type Attempt, type InvoiceReference, type Outcome } from './payments.ts'
import type { Processor, ProcessorEvent } from './processor.ts'
import { finishCardLate } from './save-card.ts'
import { settleAttempt } from './settle-attempt.ts'
import { findAttempt, insertEvent, markEventHandled } from './store.ts'

/**
 * Accepts one webhook. The same event again, in any order with others, is accepted and changes nothing.
 *
 * @param body the bytes as they came
 * @throws Fault Unauthenticated when the signature does not verify
 */
export async function acceptEvent(db: Database, processor: Processor, body: Buffer, signature: string): Promise<void> {
  const event = processor.readEvent(body, signature)
  await db.transaction(async (tx) => {
    if (!(await insertEvent(tx, event.eventId, event.type))) return
    if (event.kind === 'other') await markEventHandled(tx, event.eventId)
    else await enqueue(tx, 'processor.event', { eventId: event.eventId, body: JSON.stringify(event) })
  })
}

/**
 * The `processor.event` task. Events are hints: each is put to a state machine that only moves forward. One that can never
 * apply (a card entry of nobody's, say) is logged and done with: trying it again would say the same.
 *
 * @throws Fault ProcessorUnavailable when the processor had to be asked and gave no answer: the task is tried again
 */
export async function applyEvent(
  db: Database,
  processor: Processor,
  task: { eventId: string; body: string },
): Promise<void> {
  try {
    await apply(db, processor, JSON.parse(task.body) as ProcessorEvent)
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'ProcessorUnavailable') throw error
    db.log.warn({ event: task.eventId, err: error }, 'an event cannot be applied')
  }
  await db.transaction((tx) => markEventHandled(tx, task.eventId))
}

async function apply(db: Database, processor: Processor, event: ProcessorEvent): Promise<void> {
  switch (event.kind) {
    case 'card_setup_completed':
      await finishCardLate(db, processor, { accountId: event.reference, sessionId: event.sessionId })
      return
    case 'payment_succeeded':
      await settle(db, event, { state: 'succeeded', paymentId: event.paymentId })
      return
    case 'payment_failed': {
      const { paymentId, code, message } = event
      await settle(db, event, { state: 'failed', paymentId, code, message })
      return
    }
    case 'other':
  }
}

type PaymentEvent = Extract<ProcessorEvent, { kind: 'payment_succeeded' | 'payment_failed' }>

async function settle(db: Database, event: PaymentEvent, outcome: Outcome): Promise<void> {
  await db.transaction(async (tx) => {
    const reference = attemptNamedBy(event)
    const attempt: Attempt | undefined = reference && (await findAttempt(tx, reference))
    if (attempt === undefined) tx.log.warn({ event: event.eventId }, 'an event names no attempt of ours')
    else await settleAttempt(tx, attempt, outcome)
  })
}

/** The attempt an event is about: named by the metadata of its charge, which must be the charge of that attempt's key. */
function attemptNamedBy(event: PaymentEvent): (InvoiceReference & { attemptNumber: number }) | undefined {
  const { account_id: accountId, invoice_id: invoiceId = '', attempt_number: number = '' } = event.metadata
  if (accountId === undefined || !isUuid(invoiceId) || !/^\d{1,9}$/.test(number)) return undefined
  const reference = { accountId, invoiceId, attemptNumber: Number(number) }
  return event.idempotencyKey === attemptKey(reference) ? reference : undefined
}
