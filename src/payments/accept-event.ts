/** Takes in the processor's webhooks: verified, written once, acknowledged only when durable, applied by a task. */
import type { Database } from '../database/database.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Processor, ProcessorEvent } from './processor.ts'
import { finishCard } from './save-card.ts'
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

/** The `processor.event` task. Events are hints: each is put to a state machine that only moves forward. */
export async function applyEvent(
  db: Database,
  processor: Processor,
  task: { eventId: string; body: string },
): Promise<void> {
  const event = JSON.parse(task.body) as ProcessorEvent
  if (event.kind === 'card_setup_completed') {
    await finishCard(db, processor, { accountId: event.reference, sessionId: event.sessionId })
  }
  await db.transaction(async (tx) => {
    if (event.kind === 'payment_succeeded' || event.kind === 'payment_failed') {
      const { account_id: accountId, invoice_id: invoiceId, attempt_number: attemptNumber } = event.metadata
      const ours = accountId !== undefined && invoiceId !== undefined && /^\d{1,9}$/.test(attemptNumber ?? '')
      const attempt = ours
        ? await findAttempt(tx, { accountId, invoiceId, attemptNumber: Number(attemptNumber) })
        : undefined
      if (attempt === undefined) tx.log.warn({ event: task.eventId }, 'an event names no attempt of ours')
      else if (event.kind === 'payment_succeeded')
        await settleAttempt(tx, attempt, { state: 'succeeded', paymentId: event.paymentId })
      else {
        const { paymentId, code, message } = event
        await settleAttempt(tx, attempt, { state: 'failed', paymentId, code, message })
      }
    }
    await markEventHandled(tx, task.eventId)
  })
}
