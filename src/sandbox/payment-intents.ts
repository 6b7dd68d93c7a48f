/**
 * `/v1/payment_intents`. States: requires_payment_method → requires_confirmation (a card is named) → succeeded, or
 * requires_capture (manual capture) → succeeded; a decline goes back to requires_payment_method and keeps its error;
 * canceled from anywhere before succeeded.
 */
import type Stripe from 'stripe'
import { z } from 'zod'
import { captureCharge, createCharge } from './charges.ts'
import { declineAnswer, declineFields } from './decline.ts'
import { currency, flag, metadata, methodFields, paging, positiveInteger, text, webAddress } from './parameters.ts'
import { requirePaymentMethod, type StoredCard } from './payment-methods.ts'
import { recordEvent } from './record-event.ts'
import { requireCustomer } from './require-customer.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, idOf, invalidRequest, mergeMetadata, missing, newObjectId, type Call } from './sandbox.ts'
import { findObject, insertObject, lockObject, replaceObject } from './store.ts'
import { chargeDecline } from './test-cards.ts'

/** Stripe's published smallest charges, in minor units; currencies it publishes none for have none here. */
const amountMin: Readonly<Record<string, number>> = {
  usd: 50,
  aud: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  jpy: 50,
  nok: 300,
  pln: 200,
  sek: 300,
}
const amountMax = 99_999_999

const createFields = {
  amount: positiveInteger,
  currency,
  customer: text.optional(),
  ...methodFields,
  capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
  confirm: flag.optional(),
  off_session: flag.optional(),
  error_on_requires_action: flag.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  receipt_email: text.optional(),
  return_url: webAddress.optional(),
  setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
  statement_descriptor_suffix: text.optional(),
  transfer_group: text.optional(),
}

type CreateParameters = z.output<z.ZodObject<typeof createFields>>

function newIntent(call: Call, p: CreateParameters): Stripe.PaymentIntent {
  const id = newObjectId('pi')
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: ['card'],
    amount: p.amount,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: p.capture_method ?? 'automatic_async',
    client_secret: `${id}_secret_${newObjectId('s').slice(2)}`,
    confirmation_method: 'automatic',
    created: epochSeconds(call.tx.now),
    currency: p.currency,
    customer: p.customer ?? null,
    customer_account: null,
    description: p.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata({}, p.metadata),
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: p.receipt_email ?? null,
    review: null,
    setup_future_usage: p.setup_future_usage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: p.statement_descriptor_suffix ?? null,
    status: 'requires_payment_method',
    transfer_group: p.transfer_group ?? null,
  } satisfies Stripe.PaymentIntent
}

function checkAmount(amount: number, inCurrency: string): void {
  const min = amountMin[inCurrency] ?? 1
  if (amount < min)
    throw invalidRequest(
      `Amount must be at least ${min} in the smallest unit of ${inCurrency}.`,
      'amount_too_small',
      'amount',
    )
  if (amount > amountMax)
    throw invalidRequest(`Amount must be no more than ${amountMax}.`, 'amount_too_large', 'amount')
}

/** A card that belongs to somebody pays for that customer only; a customer pays with its own cards only. */
function checkOwner(intent: Stripe.PaymentIntent, method: StoredCard, offSession: boolean): void {
  const { id, customer } = method.data
  if (customer !== null && customer !== intent.customer)
    throw invalidRequest(
      `The provided PaymentMethod ${id} belongs to a Customer. Please include that Customer in the \`customer\` parameter on the PaymentIntent.`,
      undefined,
      'payment_method',
    )
  if (customer === null && intent.customer !== null && offSession)
    throw invalidRequest(
      `The PaymentMethod ${id} is not attached to the Customer ${idOf(intent.customer)}; attach it before charging off session.`,
      undefined,
      'payment_method',
    )
}

async function confirm(
  call: Call,
  intent: Stripe.PaymentIntent,
  methodId: string | null,
  offSession: boolean,
): Promise<object> {
  if (intent.status !== 'requires_payment_method' && intent.status !== 'requires_confirmation')
    throw invalidRequest(
      `This PaymentIntent’s status is ${intent.status}; it cannot be confirmed.`,
      'payment_intent_unexpected_state',
    )
  if (methodId === null)
    throw invalidRequest(
      'You cannot confirm this PaymentIntent because it’s missing a payment method.',
      'payment_intent_unexpected_state',
    )
  const method = await requirePaymentMethod(call, methodId, 'payment_method')
  checkOwner(intent, method, offSession)
  const card = method.data.card
  if (card === undefined) throw invalidRequest('The sandbox charges cards only.', undefined, 'payment_method')
  const decline = chargeDecline(method.behaviour, card, call.tx.now)
  const charge = await createCharge(call, intent, method, decline)
  if (decline !== undefined) {
    const failed: Stripe.PaymentIntent = {
      ...intent,
      status: 'requires_payment_method',
      payment_method: null,
      latest_charge: charge.id,
      last_payment_error: { ...declineFields(decline), charge: charge.id, payment_method: method.data },
    }
    await replaceObject(call.tx, failed)
    await recordEvent(call, 'payment_intent.payment_failed', failed)
    return declineAnswer(decline, { charge: charge.id, payment_intent: failed, payment_method: method.data })
  }
  const manual = intent.capture_method === 'manual'
  const confirmed: Stripe.PaymentIntent = {
    ...intent,
    status: manual ? 'requires_capture' : 'succeeded',
    amount_capturable: manual ? intent.amount : 0,
    amount_received: manual ? 0 : intent.amount,
    payment_method: method.data.id,
    latest_charge: charge.id,
    last_payment_error: null,
  }
  await replaceObject(call.tx, confirmed)
  await recordEvent(call, manual ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', confirmed)
  return confirmed
}

async function lockIntent(call: Call, id: string): Promise<Stripe.PaymentIntent> {
  const found = await lockObject(call.tx, 'payment_intent', id)
  if (found === undefined) throw missing('payment_intent', id)
  return found.data
}

async function cancel(
  call: Call,
  intent: Stripe.PaymentIntent,
  reason: Stripe.PaymentIntent.CancellationReason | undefined,
): Promise<Stripe.PaymentIntent> {
  if (intent.status === 'succeeded' || intent.status === 'canceled')
    throw invalidRequest(
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`,
      'payment_intent_unexpected_state',
    )
  const canceled: Stripe.PaymentIntent = {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: epochSeconds(call.tx.now),
    cancellation_reason: reason ?? null,
  }
  await replaceObject(call.tx, canceled)
  await recordEvent(call, 'payment_intent.canceled', canceled)
  return canceled
}

async function capture(call: Call, intent: Stripe.PaymentIntent, toCapture: number): Promise<Stripe.PaymentIntent> {
  const chargeId = idOf(intent.latest_charge)
  if (intent.status !== 'requires_capture' || chargeId === null)
    throw invalidRequest(
      `This PaymentIntent could not be captured because it has a status of ${intent.status}.`,
      'payment_intent_unexpected_state',
    )
  if (toCapture > intent.amount_capturable)
    throw invalidRequest(
      'The requested capture amount is greater than the amount you can capture for this charge.',
      'amount_too_large',
      'amount_to_capture',
    )
  await captureCharge(call, chargeId, toCapture)
  const captured: Stripe.PaymentIntent = {
    ...intent,
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: toCapture,
  }
  await replaceObject(call.tx, captured)
  await recordEvent(call, 'payment_intent.succeeded', captured)
  return captured
}

const confirmFields = {
  payment_method: text.optional(),
  off_session: flag.optional(),
  error_on_requires_action: flag.optional(),
  return_url: webAddress.optional(),
}

const cancelFields = {
  cancellation_reason: z.enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer']).optional(),
}

export const paymentIntentRoutes = [
  route('POST', 'payment_intents', createFields, async (call, p) => {
    checkAmount(p.amount, p.currency)
    if (p.customer !== undefined) await requireCustomer(call, p.customer, 'customer')
    if (p.off_session === true && p.confirm !== true)
      throw invalidRequest('off_session can only be used with confirm=true.', undefined, 'off_session')
    const intent = newIntent(call, p)
    await insertObject(call.tx, 'payment_intent', intent)
    await recordEvent(call, 'payment_intent.created', intent)
    if (p.confirm === true) return await confirm(call, intent, p.payment_method ?? null, p.off_session === true)
    if (p.payment_method === undefined) return intent
    const method = await requirePaymentMethod(call, p.payment_method, 'payment_method')
    checkOwner(intent, method, false)
    const ready: Stripe.PaymentIntent = { ...intent, payment_method: method.data.id, status: 'requires_confirmation' }
    await replaceObject(call.tx, ready)
    return ready
  }),

  route('POST', 'payment_intents/:id/confirm', confirmFields, async (call, p, id) => {
    const intent = await lockIntent(call, id)
    return await confirm(call, intent, p.payment_method ?? idOf(intent.payment_method), p.off_session === true)
  }),

  route('POST', 'payment_intents/:id/cancel', cancelFields, async (call, p, id) =>
    cancel(call, await lockIntent(call, id), p.cancellation_reason),
  ),

  route(
    'POST',
    'payment_intents/:id/capture',
    { amount_to_capture: positiveInteger.optional() },
    async (call, p, id) => {
      const intent = await lockIntent(call, id)
      return await capture(call, intent, p.amount_to_capture ?? intent.amount_capturable)
    },
  ),

  route('GET', 'payment_intents/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'payment_intent', id)
    if (found === undefined) throw missing('payment_intent', id)
    return found.data
  }),

  route('GET', 'payment_intents', { ...paging, customer: text.optional() }, async (call, p) =>
    answerList(call, 'payment_intent', p, { customer: p.customer }),
  ),
]
