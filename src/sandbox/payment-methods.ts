/** `/v1/payment_methods`: cards, of which only brand, last four digits, expiry and a keyed fingerprint are kept. */
import { createHmac } from 'node:crypto'
import type Stripe from 'stripe'
import { z } from 'zod'
import { declineAnswer } from './decline.ts'
import { integer, metadata, paging, text } from './parameters.ts'
import { recordEvent } from './record-event.ts'
import { requireCustomer } from './require-customer.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, invalidRequest, mergeMetadata, missing, newObjectId, type Call } from './sandbox.ts'
import { findObject, insertObject, lockObject, replaceObject, type Stored } from './store.ts'
import { checkCard, setupDecline, testCardOfId, type Behaviour, type CheckedCard } from './test-cards.ts'

export type StoredCard = Stored<'payment_method'> & { readonly behaviour: Behaviour }

const billingDetails = z.strictObject({
  email: text.optional(),
  name: text.optional(),
  phone: text.optional(),
})

/** Keeps a checked card as a payment method that belongs to nobody yet. */
export async function createPaymentMethod(
  call: Call,
  card: CheckedCard,
  details: { billing?: z.output<typeof billingDetails> | undefined; metadata?: Stripe.Metadata } = {},
): Promise<StoredCard> {
  const key = call.tx.sealer.derive('sandbox card fingerprints')
  const method = {
    id: newObjectId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: {
      address: null,
      email: details.billing?.email ?? null,
      name: details.billing?.name ?? null,
      phone: details.billing?.phone ?? null,
      tax_id: null,
    },
    card: {
      brand: card.brand,
      checks: {
        address_line1_check: null,
        address_postal_code_check: null,
        cvc_check: card.cvcGiven ? 'unchecked' : null,
      },
      country: 'US',
      display_brand: card.brand,
      exp_month: card.expMonth,
      exp_year: card.expYear,
      fingerprint: createHmac('sha256', key).update(card.digits).digest('hex').slice(0, 16),
      funding: card.funding,
      generated_from: null,
      last4: card.digits.slice(-4),
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: epochSeconds(call.tx.now),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: details.metadata ?? {},
    type: 'card',
  } satisfies Stripe.PaymentMethod
  await insertObject(call.tx, 'payment_method', method, card.behaviour)
  return { data: method, behaviour: card.behaviour }
}

/**
 * The payment method a request names. One of Stripe's published test ids (`pm_card_visa`, …) makes a new one each time.
 *
 * @param param the parameter that named it, or `id` when the path did
 */
export async function requirePaymentMethod(call: Call, id: string, param = 'id'): Promise<StoredCard> {
  const testCard = testCardOfId(id)
  if (testCard !== undefined) {
    return await createPaymentMethod(call, {
      ...testCard,
      digits: testCard.number,
      expMonth: call.tx.now.getUTCMonth() + 1,
      // Long enough for a story told with a moved clock.
      expYear: call.tx.now.getUTCFullYear() + 5,
      cvcGiven: true,
    })
  }
  const found = await lockObject(call.tx, 'payment_method', id)
  if (found === undefined) throw missing('PaymentMethod', id, param)
  return found as StoredCard
}

/** Gives a payment method to a customer. Its caller has asked the card first. */
export async function attachPaymentMethod(
  call: Call,
  method: Stripe.PaymentMethod,
  customerId: string,
): Promise<Stripe.PaymentMethod> {
  if (method.customer === customerId) return method
  if (method.customer !== null)
    throw invalidRequest('The payment method you provided has already been attached to a customer.')
  const card = method.card
  const attached: Stripe.PaymentMethod = {
    ...method,
    customer: customerId,
    ...(card?.checks && { card: { ...card, checks: { ...card.checks, cvc_check: 'pass' } } }),
  }
  await replaceObject(call.tx, attached)
  await recordEvent(call, 'payment_method.attached', attached)
  return attached
}

const cardFields = z.strictObject({ number: text, exp_month: integer, exp_year: integer, cvc: text.optional() })

export const paymentMethodRoutes = [
  route(
    'POST',
    'payment_methods',
    {
      type: z.literal('card', 'The sandbox knows payment methods of type card only.'),
      card: cardFields,
      billing_details: billingDetails.optional(),
      metadata: metadata.optional(),
    },
    async (call, { card, billing_details: billing, ...others }) => {
      const entered = { number: card.number, expMonth: card.exp_month, expYear: card.exp_year, cvc: card.cvc }
      const checked = checkCard(entered, call.tx.now)
      return (await createPaymentMethod(call, checked, { billing, metadata: mergeMetadata({}, others.metadata) })).data
    },
  ),

  route('GET', 'payment_methods/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'payment_method', id)
    if (found === undefined) throw missing('PaymentMethod', id)
    return found.data
  }),

  route('POST', 'payment_methods/:id', { metadata: metadata.optional() }, async (call, parameters, id) => {
    const { data } = await requirePaymentMethod(call, id)
    const changed = { ...data, metadata: mergeMetadata(data.metadata ?? {}, parameters.metadata) }
    await replaceObject(call.tx, changed)
    return changed
  }),

  route('POST', 'payment_methods/:id/attach', { customer: text }, async (call, parameters, id) => {
    await requireCustomer(call, parameters.customer, 'customer')
    const method = await requirePaymentMethod(call, id)
    const decline = setupDecline(method.behaviour)
    if (decline !== undefined) return declineAnswer(decline, { payment_method: method.data })
    return await attachPaymentMethod(call, method.data, parameters.customer)
  }),

  route('POST', 'payment_methods/:id/detach', {}, async (call, _, id) => {
    const { data } = await requirePaymentMethod(call, id)
    if (data.customer === null)
      throw invalidRequest('The payment method you provided is not attached to a customer so detachment is impossible.')
    const detached = { ...data, customer: null }
    await replaceObject(call.tx, detached)
    await recordEvent(call, 'payment_method.detached', detached)
    return detached
  }),

  route(
    'GET',
    'payment_methods',
    { ...paging, customer: text.optional(), type: z.literal('card').optional() },
    async (call, parameters) =>
      answerList(call, 'payment_method', parameters, { customer: parameters.customer, type: parameters.type }),
  ),
]
