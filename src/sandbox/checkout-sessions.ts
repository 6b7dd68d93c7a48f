/** `/v1/checkout/sessions` in mode `setup`: a page on which a buyer enters a card, so that the seller never sees it. */
import type Stripe from 'stripe'
import { z } from 'zod'
import { currency, integer, list, metadata, paging, text, webAddress } from './parameters.ts'
import { createPaymentMethod } from './payment-methods.ts'
import { recordEvent } from './record-event.ts'
import { requireCustomer } from './require-customer.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, idOf, invalidRequest, mergeMetadata, missing, newObjectId, type Call } from './sandbox.ts'
import { confirmSetupIntent, createSetupIntent, lockSetupIntent } from './setup-intents.ts'
import { insertObject, lockObject, replaceObject } from './store.ts'
import { checkCard, type Decline, type EnteredCard } from './test-cards.ts'

const lifetimeDefaultSeconds = 24 * 60 * 60
const lifetimeMinSeconds = 30 * 60

const createFields = {
  mode: z.literal('setup', 'The sandbox opens Checkout in mode setup only.'),
  customer: text.optional(),
  client_reference_id: z.string().max(200).optional(),
  success_url: webAddress,
  cancel_url: webAddress.optional(),
  currency: currency.optional(),
  expires_at: integer.optional(),
  allowed_payment_method_types: list(z.literal('card', 'The sandbox knows cards only.')).optional(),
  metadata: metadata.optional(),
  setup_intent_data: z.strictObject({ description: text.optional(), metadata: metadata.optional() }).optional(),
}

type CreateParameters = z.output<z.ZodObject<typeof createFields>>

function newSession(
  call: Call,
  p: CreateParameters,
  setupIntentId: string,
  expiresAt: number,
): Stripe.Checkout.Session {
  return {
    id: newObjectId('cs_test'),
    object: 'checkout.session',
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: ['card'],
    amount_subtotal: null,
    amount_total: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: p.cancel_url ?? null,
    client_reference_id: p.client_reference_id ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: epochSeconds(call.tx.now),
    currency: p.currency ?? null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: p.customer ?? null,
    customer_account: null,
    customer_creation: null,
    customer_details: null,
    customer_email: null,
    discounts: null,
    expires_at: expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata: mergeMetadata({}, p.metadata),
    mode: 'setup',
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: 'always',
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card'],
    payment_status: 'no_payment_required',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: setupIntentId,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: p.success_url,
    total_details: null,
    ui_mode: 'hosted_page',
    url: null,
    wallet_options: null,
  } satisfies Stripe.Checkout.Session
}

/** The page's address is not kept: after a restart the sandbox may listen on another port. */
function shown(call: Call, session: Stripe.Checkout.Session): Stripe.Checkout.Session {
  return { ...session, url: session.status === 'open' ? `${call.pagesUrl}/checkout/${session.id}` : null }
}

async function expire(call: Call, session: Stripe.Checkout.Session): Promise<Stripe.Checkout.Session> {
  const expired: Stripe.Checkout.Session = { ...session, status: 'expired' }
  await replaceObject(call.tx, expired)
  await recordEvent(call, 'checkout.session.expired', expired)
  return expired
}

/** A session, kept from being changed by another request; one whose time is over becomes expired here. */
export async function lockSession(call: Call, id: string): Promise<Stripe.Checkout.Session | undefined> {
  const session = (await lockObject(call.tx, 'checkout.session', id))?.data
  if (session?.status === 'open' && epochSeconds(call.tx.now) >= session.expires_at) return await expire(call, session)
  return session
}

async function requireSession(call: Call, id: string): Promise<Stripe.Checkout.Session> {
  const session = await lockSession(call, id)
  if (session === undefined) throw missing('checkout.session', id)
  return session
}

/**
 * Saves the card entered on the page. The session stays open when the card is declined, so that another can be tried.
 *
 * @throws Refusal 402 when what was typed is no card
 */
export async function completeSession(
  call: Call,
  session: Stripe.Checkout.Session,
  entered: { card: EnteredCard; name: string | undefined },
): Promise<{ session: Stripe.Checkout.Session; decline: Decline | undefined }> {
  const checked = checkCard(entered.card, call.tx.now)
  const method = await createPaymentMethod(call, checked, { billing: { name: entered.name } })
  const intent = await lockSetupIntent(call, idOf(session.setup_intent) ?? '')
  const { decline } = await confirmSetupIntent(call, intent, method)
  if (decline !== undefined) return { session, decline }
  const complete: Stripe.Checkout.Session = { ...session, status: 'complete' }
  await replaceObject(call.tx, complete)
  await recordEvent(call, 'checkout.session.completed', complete)
  return { session: complete, decline: undefined }
}

export const checkoutSessionRoutes = [
  route('POST', 'checkout/sessions', createFields, async (call, p) => {
    if (p.customer !== undefined) await requireCustomer(call, p.customer, 'customer')
    const now = epochSeconds(call.tx.now)
    const expiresAt = p.expires_at ?? now + lifetimeDefaultSeconds
    if (expiresAt < now + lifetimeMinSeconds || expiresAt > now + lifetimeDefaultSeconds)
      throw invalidRequest(
        'The `expires_at` timestamp must be between 30 minutes and 24 hours after Checkout Session creation.',
        undefined,
        'expires_at',
      )
    const intent = await createSetupIntent(call, {
      customerId: p.customer ?? null,
      description: p.setup_intent_data?.description,
      metadata: mergeMetadata({}, p.setup_intent_data?.metadata),
    })
    const session = newSession(call, p, intent.id, expiresAt)
    await insertObject(call.tx, 'checkout.session', session)
    return shown(call, session)
  }),

  route('GET', 'checkout/sessions/:id', {}, async (call, _, id) => shown(call, await requireSession(call, id))),

  route('POST', 'checkout/sessions/:id/expire', {}, async (call, _, id) => {
    const session = await requireSession(call, id)
    if (session.status !== 'open')
      throw invalidRequest(
        `Only Checkout Sessions with a status in [“open”] can be expired. This one is ${session.status}.`,
      )
    return await expire(call, session)
  }),

  route('GET', 'checkout/sessions', { ...paging, customer: text.optional() }, async (call, p) => {
    const page = await answerList(call, 'checkout.session', p, { customer: p.customer })
    return { ...page, data: page.data.map((session) => shown(call, session)) }
  }),
]
