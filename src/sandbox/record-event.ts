/** Events: what happened, written in the transaction it happened in, and to be delivered when the endpoint wants it. */
import type Stripe from 'stripe'
import { apiVersion, epochSeconds, newObjectId, type Call } from './sandbox.ts'
import { insertDelivery, insertObject } from './store.ts'

/** What the webhook endpoint is subscribed to: the events the processor port reads, and those of money going back. */
const deliveredEventTypes: ReadonlySet<string> = new Set([
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'checkout.session.completed',
  'checkout.session.expired',
  'charge.refunded',
])

/** @param object the object as it is after the change; the event keeps this picture of it */
export async function recordEvent(
  call: Call,
  type: Stripe.Event.Type,
  object: Stripe.Event.Data.Object,
): Promise<Stripe.Event> {
  const delivered = deliveredEventTypes.has(type)
  const event = {
    id: newObjectId('evt'),
    object: 'event',
    api_version: apiVersion,
    created: epochSeconds(call.tx.now),
    data: { object },
    livemode: false,
    pending_webhooks: delivered ? 1 : 0,
    request: { id: call.requestId, idempotency_key: call.idempotencyKey },
    type,
  } satisfies Stripe.EventBase
  const written = event as Stripe.Event
  await insertObject(call.tx, 'event', written)
  if (delivered) await insertDelivery(call.tx, event.id)
  return written
}
