import { afterEach, beforeEach, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import { buy, decliningCard, enterCard, goodCard, newBuyer } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import type { Product } from '../products/products.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import { cancelSubscription } from './cancel-subscription.ts'
import { refundCollectedLate } from './refund-unused.ts'

let at: Collections
/** $20.00 a month. */
let product: Product
beforeEach(async () => {
  at = await openCollections('2026-06-16T00:00:00Z')
  product = (await newProduct(at.database)).product
})
afterEach(async () => {
  expect(await at.broken()).toEqual([])
  await at.close()
})

const cancel = (subscription: Subscription) =>
  at.database.transaction((tx) => cancelSubscription(tx, { ...subscription, actor: subscription.accountId }))

async function refundsOf(accountId: string) {
  const { rows } = await at.house.pool.query<Record<string, unknown>>(
    'select amount, month, state from refund where account_id = $1 order by amount',
    [accountId],
  )
  return rows
}

/** A buyer whose bill of 1 July was refused. */
async function failingBuyer(): Promise<Subscription> {
  const accountId = await newBuyer(at.database, at.processor)
  const subscription = await buy(at.database, at.processor, accountId, product)
  await enterCard(at.database, at.processor, accountId, decliningCard)
  await at.advance('2026-07-03T12:00:00Z')
  return subscription
}

test('what is unused of a charge that failed goes back when it is collected after the cancellation', async () => {
  const subscription = await failingBuyer()
  const { accountId } = subscription
  expect(await cancel(subscription)).toMatchObject({ cancelled: true })
  expect(await refundsOf(accountId)).toEqual([])
  await at.advance('2026-07-09T00:00:00Z')
  await enterCard(at.database, at.processor, accountId, goodCard)
  await at.drain()
  // Cancelled on the 3rd: 28 of July's 31 days are unused, whenever the money came.
  expect(await refundsOf(accountId)).toEqual([{ amount: 1806n, month: '2026-07', state: 'succeeded' }])
  const mails = await at.mails(`/${subscription.subscriptionId}/buyer/`)
  expect(mails.find((mail) => mail.kind === 'charge-refunded')?.textBody).toContain('$18.06')

  await refundCollectedLate(at.database, subscription)
  await at.advance('2026-08-02T00:00:00Z')
  expect(await refundsOf(accountId)).toHaveLength(1)
})

test('what is unused of a charge carried to a later bill goes back when that one is collected', async () => {
  const cheap = (await newProduct(at.database, { name: 'Cheap AMI', price: { monthly: '0.40' } })).product
  const accountId = await newBuyer(at.database, at.processor)
  await buy(at.database, at.processor, accountId, product)
  const carried = await buy(at.database, at.processor, accountId, cheap)
  await at.advance('2026-06-20T00:00:00Z')
  await cancel(carried)
  await at.advance('2026-07-01T12:00:00Z')
  expect(await refundsOf(accountId)).toEqual([{ amount: 13n, month: '2026-06', state: 'succeeded' }])
})

test('a debt that ended the subscription is owed whole', async () => {
  const subscription = await failingBuyer()
  const { accountId } = subscription
  await at.advance('2026-07-23T00:00:00Z')
  await enterCard(at.database, at.processor, accountId, goodCard)
  await at.drain()
  expect(await at.bills(accountId)).toMatchObject([{ state: 'paid' }, { state: 'paid' }])
  await refundCollectedLate(at.database, subscription)
  expect(await refundsOf(accountId)).toEqual([])
})

test('a bill collected before the cancellation has its refund at once, and none later', async () => {
  const accountId = await newBuyer(at.database, at.processor)
  const subscription = await buy(at.database, at.processor, accountId, product)
  await at.advance('2026-06-20T00:00:00Z')
  expect((await cancel(subscription)).refund?.minor).toBe(667n)
  await refundCollectedLate(at.database, subscription)
  await at.advance('2026-07-02T00:00:00Z')
  expect(await refundsOf(accountId)).toMatchObject([{ amount: 667n, state: 'succeeded' }])
})
