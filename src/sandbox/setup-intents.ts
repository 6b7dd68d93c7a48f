/** `/v1/setup_intents`: the saving of a card, which asks the bank once. */
import type Stripe from 'stripe'
import { z } from 'zod'
import { declineAnswer, declineFields } from './decline.ts'
import { flag, metadata, methodFields, paging, text, webAddress } from './parameters.ts'
import { attachPaymentMethod, requirePaymentMethod, type StoredCard } from './payment-methods.ts'
import { recordEvent } from './record-event.ts'
import { requireCustomer } from './require-customer.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, idOf, invalidRequest, mergeMetadata, missing, newObjectId, type Call } from './sandbox.ts'
import { findObject, insertObject, lockObject, replaceObject } from './store.ts'
import { chargeDecline, setupDecline, type Decline } from './test-cards.ts'

export async function createSetupIntent(
  call: Call,
  request: {
    customerId: string | null
    description?: string | undefined
    metadata?: Stripe.Metadata
    usage?: string | undefined
  },
): Promise<Stripe.SetupIntent> {
  const id = newObjectId('seti')
  const intent = {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: ['card'],
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${newObjectId('s').slice(2)}`,
    created: epochSeconds(call.tx.now),
    customer: request.customerId,
    description: request.description ?? null,
    excluded_payment_method_types: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: request.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: request.usage ?? 'off_session',
  } satisfies Stripe.SetupIntent
  await insertObject(call.tx, 'setup_intent', intent)
  await recordEvent(call, 'setup_intent.created', intent)
  return intent
}

/**
 * Asks the bank whether the card may be saved, and gives it to the intent's customer.
 *
 * @returns the intent as it then is, with the decline when there was one
 */
export async function confirmSetupIntent(
  call: Call,
  intent: Stripe.SetupIntent,
  method: StoredCard,
): Promise<{ intent: Stripe.SetupIntent; decline: Decline | undefined }> {
  if (intent.status !== 'requires_payment_method' && intent.status !== 'requires_confirmation')
    throw invalidRequest(
      `You cannot confirm this SetupIntent because it has a status of ${intent.status}.`,
      'setup_intent_unexpected_state',
    )
  const decline = setupDecline(method.behaviour) ?? expired(method, call.tx.now)
  if (decline !== undefined) {
    const failed: Stripe.SetupIntent = {
      ...intent,
      status: 'requires_payment_method',
      payment_method: null,
      last_setup_error: { ...declineFields(decline), payment_method: method.data },
    }
    await replaceObject(call.tx, failed)
    await recordEvent(call, 'setup_intent.setup_failed', failed)
    return { intent: failed, decline }
  }
  const customerId = idOf(intent.customer)
  if (customerId !== null) await attachPaymentMethod(call, method.data, customerId)
  const succeeded: Stripe.SetupIntent = {
    ...intent,
    status: 'succeeded',
    payment_method: method.data.id,
    last_setup_error: null,
  }
  await replaceObject(call.tx, succeeded)
  await recordEvent(call, 'setup_intent.succeeded', succeeded)
  return { intent: succeeded, decline: undefined }
}

/** A saved card whose charges will be declined can be set up; one past its date cannot. */
function expired(method: StoredCard, now: Date): Decline | undefined {
  return method.data.card === undefined ? undefined : chargeDecline('succeeds', method.data.card, now)
}

async function confirmAnswer(call: Call, intent: Stripe.SetupIntent, methodId: string | null): Promise<object> {
  if (methodId === null)
    throw invalidRequest(
      'You cannot confirm this SetupIntent because it’s missing a payment method. Update the SetupIntent with a payment method and then confirm it again.',
      'setup_intent_unexpected_state',
    )
  const method = await requirePaymentMethod(call, methodId, 'payment_method')
  const done = await confirmSetupIntent(call, intent, method)
  if (done.decline === undefined) return done.intent
  return declineAnswer(done.decline, { setup_intent: done.intent, payment_method: method.data })
}

export async function lockSetupIntent(call: Call, id: string): Promise<Stripe.SetupIntent> {
  const found = await lockObject(call.tx, 'setup_intent', id)
  if (found === undefined) throw missing('setupintent', id)
  return found.data
}

const createFields = {
  customer: text.optional(),
  ...methodFields,
  confirm: flag.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  return_url: webAddress.optional(),
  usage: z.enum(['off_session', 'on_session']).optional(),
}

export const setupIntentRoutes = [
  route('POST', 'setup_intents', createFields, async (call, p) => {
    if (p.customer !== undefined) await requireCustomer(call, p.customer, 'customer')
    const intent = await createSetupIntent(call, {
      customerId: p.customer ?? null,
      description: p.description,
      metadata: mergeMetadata({}, p.metadata),
      usage: p.usage,
    })
    if (p.confirm === true) return await confirmAnswer(call, intent, p.payment_method ?? null)
    if (p.payment_method === undefined) return intent
    const method = await requirePaymentMethod(call, p.payment_method, 'payment_method')
    const ready: Stripe.SetupIntent = { ...intent, payment_method: method.data.id, status: 'requires_confirmation' }
    await replaceObject(call.tx, ready)
    return ready
  }),

  route(
    'POST',
    'setup_intents/:id/confirm',
    { payment_method: text.optional(), return_url: webAddress.optional() },
    async (call, p, id) => {
      const intent = await lockSetupIntent(call, id)
      return await confirmAnswer(call, intent, p.payment_method ?? idOf(intent.payment_method))
    },
  ),

  route('POST', 'setup_intents/:id/cancel', {}, async (call, _, id) => {
    const intent = await lockSetupIntent(call, id)
    if (intent.status !== 'requires_payment_method' && intent.status !== 'requires_confirmation')
      throw invalidRequest(
        `You cannot cancel this SetupIntent because it has a status of ${intent.status}.`,
        'setup_intent_unexpected_state',
      )
    const canceled: Stripe.SetupIntent = { ...intent, status: 'canceled' }
    await replaceObject(call.tx, canceled)
    await recordEvent(call, 'setup_intent.canceled', canceled)
    return canceled
  }),

  route('GET', 'setup_intents/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'setup_intent', id)
    if (found === undefined) throw missing('setupintent', id)
    return found.data
  }),

  route(
    'GET',
    'setup_intents',
    { ...paging, customer: text.optional(), payment_method: text.optional() },
    async (call, p) => answerList(call, 'setup_intent', p, { customer: p.customer, payment_method: p.payment_method }),
  ),
]
