/** `/v1/transfers` and `/v1/balance`: money to sellers' accounts, never more than the platform's balance holds. */
import type Stripe from 'stripe'
import { currency, metadata, paging, positiveInteger, text } from './parameters.ts'
import { recordEvent } from './record-event.ts'
import { answerList, route } from './route.ts'
import { epochSeconds, invalidRequest, mergeMetadata, missing, newObjectId } from './sandbox.ts'
import { addBalanceEntry, findObject, insertObject, lockBalance, readBalances } from './store.ts'

const createFields = {
  amount: positiveInteger,
  currency,
  destination: text,
  description: text.optional(),
  metadata: metadata.optional(),
  transfer_group: text.optional(),
}

export const transferRoutes = [
  route('POST', 'transfers', createFields, async (call, p) => {
    const account = await findObject(call.tx, 'account', p.destination)
    if (account === undefined) throw missing('destination', p.destination, 'destination')
    if (account.data.capabilities?.transfers !== 'active')
      throw invalidRequest(
        'Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments',
        'insufficient_capabilities_for_transfer',
      )
    if ((await lockBalance(call.tx, p.currency)) < BigInt(p.amount))
      throw invalidRequest(
        'You have insufficient available funds in your Stripe account.',
        'balance_insufficient',
        'amount',
      )
    const id = newObjectId('tr')
    const transfer = {
      id,
      object: 'transfer',
      amount: p.amount,
      amount_reversed: 0,
      balance_transaction: null,
      created: epochSeconds(call.tx.now),
      currency: p.currency,
      description: p.description ?? null,
      destination: p.destination,
      livemode: false,
      metadata: mergeMetadata({}, p.metadata),
      reversals: { object: 'list', data: [], has_more: false, url: `/v1/transfers/${id}/reversals` },
      reversed: false,
      source_transaction: null,
      source_type: 'card',
      transfer_group: p.transfer_group ?? null,
    } satisfies Stripe.Transfer
    await insertObject(call.tx, 'transfer', transfer)
    await addBalanceEntry(call.tx, { sourceId: id, currency: p.currency, amount: -BigInt(p.amount) })
    await recordEvent(call, 'transfer.created', transfer)
    return transfer
  }),

  route('GET', 'transfers/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'transfer', id)
    if (found === undefined) throw missing('transfer', id)
    return found.data
  }),

  route(
    'GET',
    'transfers',
    { ...paging, destination: text.optional(), transfer_group: text.optional() },
    async (call, p) =>
      answerList(call, 'transfer', p, { destination: p.destination, transfer_group: p.transfer_group }),
  ),

  route('GET', 'balance', {}, async (call) => {
    const available = (await readBalances(call.tx)).map((entry) => ({
      amount: Number(entry.amount),
      currency: entry.currency,
      source_types: { card: Number(entry.amount) },
    }))
    return { object: 'balance', available, livemode: false, pending: [] } satisfies Stripe.Balance
  }),
]
