/** `/v1/refunds`. The sum of a charge's refunds never exceeds what was captured: read and written under its lock. */
import type Stripe from 'stripe'
import { z } from 'zod'
import { requireCharge } from './charges.ts'
import { metadata, paging, positiveInteger, text } from './parameters.ts'
import { recordEvent } from './record-event.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, idOf, invalidRequest, mergeMetadata, missing, newObjectId, type Call } from './sandbox.ts'
import { addBalanceEntry, findObject, insertObject, replaceObject } from './store.ts'

async function chargeToRefund(
  call: Call,
  named: { charge?: string | undefined; payment_intent?: string | undefined },
): Promise<Stripe.Charge> {
  if ((named.charge === undefined) === (named.payment_intent === undefined))
    throw invalidRequest('One of the following params should be provided: payment_intent or charge.')
  if (named.charge !== undefined) return await requireCharge(call, named.charge, 'charge')
  const intentId = named.payment_intent ?? ''
  const intent = await findObject(call.tx, 'payment_intent', intentId)
  if (intent === undefined) throw missing('payment_intent', intentId, 'payment_intent')
  const chargeId = idOf(intent.data.latest_charge)
  if (chargeId === null || intent.data.amount_received === 0)
    throw invalidRequest(
      `This PaymentIntent (${intentId}) does not have a successful charge to refund.`,
      undefined,
      'payment_intent',
    )
  return await requireCharge(call, chargeId)
}

function checkRefund(charge: Stripe.Charge, amount: number): void {
  const left = charge.amount_captured - charge.amount_refunded
  if (!charge.captured || charge.status !== 'succeeded')
    throw invalidRequest(`Charge ${charge.id} was not captured; there is nothing to refund.`)
  if (left === 0) throw invalidRequest(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded')
  if (amount > left)
    throw invalidRequest(
      `Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`,
      'amount_too_large',
      'amount',
    )
}

const createFields = {
  charge: text.optional(),
  payment_intent: text.optional(),
  amount: positiveInteger.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
}

export const refundRoutes = [
  route('POST', 'refunds', createFields, async (call, p) => {
    const charge = await chargeToRefund(call, p)
    const amount = p.amount ?? charge.amount_captured - charge.amount_refunded
    checkRefund(charge, amount)
    const refund = {
      id: newObjectId('re'),
      object: 'refund',
      amount,
      balance_transaction: null,
      charge: charge.id,
      created: epochSeconds(call.tx.now),
      currency: charge.currency,
      customer: charge.customer,
      customer_account: null,
      metadata: mergeMetadata({}, p.metadata),
      payment_intent: charge.payment_intent,
      payment_method: charge.payment_method,
      reason: p.reason ?? null,
      receipt_number: null,
      source_transfer_reversal: null,
      status: 'succeeded',
      transfer_reversal: null,
    } satisfies Stripe.Refund
    const refunded = charge.amount_refunded + amount
    const after: Stripe.Charge = {
      ...charge,
      amount_refunded: refunded,
      refunded: refunded === charge.amount_captured,
    }
    await insertObject(call.tx, 'refund', refund)
    await replaceObject(call.tx, after)
    await addBalanceEntry(call.tx, { sourceId: refund.id, currency: refund.currency, amount: -BigInt(amount) })
    await recordEvent(call, 'refund.created', refund)
    await recordEvent(call, 'charge.refunded', after)
    return refund
  }),

  route('GET', 'refunds/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'refund', id)
    if (found === undefined) throw missing('refund', id)
    return found.data
  }),

  route('GET', 'refunds', { ...paging, charge: text.optional(), payment_intent: text.optional() }, async (call, p) =>
    answerList(call, 'refund', p, { charge: p.charge, payment_intent: p.payment_intent }),
  ),
]
