/** `/v1/accounts`: sellers' accounts (Connect). The sandbox asks them no questions: they can be paid at once. */
import type Stripe from 'stripe'
import { z } from 'zod'
import { country, flag, metadata, paging, text } from './parameters.ts'
import { recordEvent } from './record-event.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, mergeMetadata, missing, newObjectId } from './sandbox.ts'
import { findObject, insertObject, lockObject, replaceObject } from './store.ts'

const capability = z.strictObject({ requested: flag }).optional()

const createFields = {
  type: z.enum(['custom', 'express', 'standard']).optional(),
  country: country.default('US'),
  email: text.optional(),
  business_type: z.enum(['company', 'government_entity', 'individual', 'non_profit']).optional(),
  capabilities: z.strictObject({ transfers: capability, card_payments: capability }).optional(),
  controller: z
    .strictObject({
      fees: z.strictObject({ payer: z.enum(['account', 'application']) }).optional(),
      losses: z.strictObject({ payments: z.enum(['application', 'stripe']) }).optional(),
      requirement_collection: z.enum(['application', 'stripe']).optional(),
      stripe_dashboard: z.strictObject({ type: z.enum(['express', 'full', 'none']) }).optional(),
    })
    .optional(),
  metadata: metadata.optional(),
}

export const accountRoutes = [
  route('POST', 'accounts', createFields, async (call, p) => {
    const account = {
      id: newObjectId('acct'),
      object: 'account',
      business_type: p.business_type ?? null,
      capabilities: {
        ...(p.capabilities?.transfers?.requested === true && { transfers: 'active' as const }),
        ...(p.capabilities?.card_payments?.requested === true && { card_payments: 'active' as const }),
      },
      charges_enabled: p.capabilities?.card_payments?.requested === true,
      controller: { type: 'application', is_controller: true },
      country: p.country,
      created: epochSeconds(call.tx.now),
      default_currency: 'usd',
      details_submitted: true,
      email: p.email ?? null,
      metadata: mergeMetadata({}, p.metadata),
      payouts_enabled: true,
      type: p.controller === undefined ? (p.type ?? 'standard') : 'none',
    } satisfies Stripe.Account
    await insertObject(call.tx, 'account', account)
    return account
  }),

  route('GET', 'accounts/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'account', id)
    if (found === undefined) throw missing('account', id)
    return found.data
  }),

  route(
    'POST',
    'accounts/:id',
    { email: text.optional(), metadata: metadata.optional() },
    async (call, parameters, id) => {
      const found = await lockObject(call.tx, 'account', id)
      if (found === undefined) throw missing('account', id)
      const account: Stripe.Account = {
        ...found.data,
        email: parameters.email ?? found.data.email,
        metadata: mergeMetadata(found.data.metadata ?? {}, parameters.metadata),
      }
      await replaceObject(call.tx, account)
      await recordEvent(call, 'account.updated', account)
      return account
    },
  ),

  route('GET', 'accounts', { ...paging }, async (call, parameters) => answerList(call, 'account', parameters)),
]
