/** `/v1/charges`: what a payment intent did to a card, once per try. Read only; payment intents and refunds write them. */
import type Stripe from 'stripe'
import { paging, text } from './parameters.ts'
import { recordEvent } from './record-event.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, idOf, missing, newObjectId, type Call } from './sandbox.ts'
import { addBalanceEntry, findObject, insertObject, lockObject, replaceObject } from './store.ts'
import type { StoredCard } from './payment-methods.ts'
import type { Decline } from './test-cards.ts'

/** Writes the charge of one try: declined, taken, or (manual capture) only reserved. */
export async function createCharge(
  call: Call,
  intent: Stripe.PaymentIntent,
  method: StoredCard,
  decline: Decline | undefined,
): Promise<Stripe.Charge> {
  const captured = decline === undefined && intent.capture_method !== 'manual'
  const charge = {
    id: newObjectId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: captured ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.data.billing_details,
    calculated_statement_descriptor: null,
    captured,
    created: epochSeconds(call.tx.now),
    currency: intent.currency,
    customer: idOf(intent.customer),
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: outcomeOf(decline),
    paid: decline === undefined,
    payment_intent: intent.id,
    payment_method: method.data.id,
    payment_method_details: null,
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: decline === undefined ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: intent.transfer_group,
  } satisfies Stripe.Charge
  await insertObject(call.tx, 'charge', charge)
  if (captured) await addToBalance(call, charge, intent.amount)
  await recordEvent(call, decline === undefined ? 'charge.succeeded' : 'charge.failed', charge)
  return charge
}

function outcomeOf(decline: Decline | undefined): Stripe.Charge.Outcome {
  return {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: decline === undefined ? 'approved_by_network' : 'declined_by_network',
    reason: decline?.declineCode ?? decline?.code ?? null,
    seller_message: decline === undefined ? 'Payment complete.' : 'The bank did not accept the payment.',
    type: decline === undefined ? 'authorized' : 'issuer_declined',
  }
}

async function addToBalance(call: Call, charge: Stripe.Charge, amount: number): Promise<void> {
  await addBalanceEntry(call.tx, { sourceId: charge.id, currency: charge.currency, amount: BigInt(amount) })
}

/** Takes what was only reserved. */
export async function captureCharge(call: Call, id: string, amount: number): Promise<void> {
  const charge = await requireCharge(call, id)
  const captured: Stripe.Charge = { ...charge, captured: true, amount_captured: amount }
  await replaceObject(call.tx, captured)
  await addToBalance(call, captured, amount)
  await recordEvent(call, 'charge.captured', captured)
}

/** A charge, kept from being changed by another request. */
export async function requireCharge(call: Call, id: string, param = 'id'): Promise<Stripe.Charge> {
  const found = await lockObject(call.tx, 'charge', id)
  if (found === undefined) throw missing('charge', id, param)
  return found.data
}

export const chargeRoutes = [
  route('GET', 'charges/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'charge', id)
    if (found === undefined) throw missing('charge', id)
    return found.data
  }),
  route(
    'GET',
    'charges',
    { ...paging, customer: text.optional(), payment_intent: text.optional() },
    async (call, parameters) =>
      answerList(call, 'charge', parameters, {
        customer: parameters.customer,
        payment_intent: parameters.payment_intent,
      }),
  ),
]
