import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import { buy, enterCard, decliningCard, newBuyer } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import { newUuid } from '../base/ids.ts'
import { sql } from '../database/database.ts'
import { closeMonth } from '../invoices/close-month.ts'
import { receivable, sellerBalance } from '../ledger/sum-balance.ts'
import { cancelSubscription } from '../orders/cancel-subscription.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import type { Product } from '../products/products.ts'
import { refundPayment } from './refund-payment.ts'
import { startRefund, type RefundRequest } from './start-refund.ts'

let at: Collections
let product: Product
/** $0.60 from the 16th on is $0.30: a bill below the minimum. */
let cheap: Product
beforeAll(async () => {
  at = await openCollections('2026-06-16T00:00:00Z')
  product = (await newProduct(at.database)).product
  cheap = (await newProduct(at.database, { name: 'Cheap AMI', price: { monthly: '0.60' } })).product
})
afterAll(() => at.close())
afterEach(async () => {
  expect(at.processor.mishaps).toEqual([])
  expect(await at.broken()).toEqual([])
})

/** A subscription whose $10.00 for the rest of June are paid, and what a refund of some of it asks. */
async function paid(): Promise<{ subscription: Subscription; request: RefundRequest }> {
  const accountId = await newBuyer(at.database, at.processor)
  const subscription = await buy(at.database, at.processor, accountId, product)
  await at.drain()
  return { subscription, request: await requestOf(subscription) }
}

async function requestOf(subscription: Subscription, amount = 500n): Promise<RefundRequest> {
  const { accountId, subscriptionId, productCode, sellerAccountId } = subscription
  const bill = (await at.bills(accountId)).find((one) => one.subscriptionId === subscriptionId)
  const invoiceId = bill?.invoiceId ?? ''
  const of = { accountId, invoiceId, subscriptionId, productCode, sellerAccountId }
  return { ...of, month: '2026-06', reason: 'cancellation', amount, currency: 'USD' }
}

const start = (request: RefundRequest) => at.database.transaction((tx) => startRefund(tx, request))
const owed = (accountId: string) => at.database.read((tx) => receivable(tx, { accountId }))
const balance = () => at.database.read((tx) => sellerBalance(tx, { ...product, currency: 'USD' }))

/** Refunds of an account at the processor. */
async function refunded(accountId: string): Promise<number[]> {
  const refunds = await at.stripe.refunds.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })
  return refunds.filter((one) => one.metadata?.['account_id'] === accountId).map((one) => one.amount)
}

async function states(accountId: string): Promise<string[]> {
  const rows = await at.database.read((tx) =>
    tx.rows<{ state: string }>(sql`select state from refund where account_id = ${accountId}`),
  )
  return rows.map((row) => row.state)
}

describe('a refund', () => {
  test('is booked at once, returned by its task, and planned to be settled; the transaction fee stays', async () => {
    const before = await balance()
    const { subscription, request } = await paid()
    const { accountId } = subscription
    expect(await balance()).toBe(before + 1000n - 30n)
    expect(await start(request)).toBeDefined()
    expect(await balance()).toBe(before + 500n - 30n)
    expect(await owed(accountId)).toEqual([{ minor: -500n, currency: 'USD' }])
    expect(await refunded(accountId)).toEqual([])
    expect(await at.drain()).toBe(0)
    expect(await refunded(accountId)).toEqual([500])
    expect(await owed(accountId)).toEqual([])
    expect(await states(accountId)).toEqual(['succeeded'])
    const { rows } = await at.house.pool.query('select month from settlement_due where account_id = $1', [accountId])
    expect(rows).toEqual([{ month: '2026-06' }])
  })

  test('of a subscription on a bill is started once, however many start it at once', async () => {
    const { subscription, request } = await paid()
    const started = await Promise.all(Array.from({ length: 6 }, () => start(request)))
    expect(started.filter((one) => one !== undefined)).toHaveLength(1)
    await at.drain()
    expect(await refunded(subscription.accountId)).toEqual([500])
  })

  test('is refused of what was not collected, beyond what was, and beyond what the subscription was charged', async () => {
    const { subscription, request } = await paid()
    const refused = { code: 'IncorrectState' }
    await expect(start({ ...request, amount: 1001n })).rejects.toMatchObject(refused)
    await expect(start({ ...request, subscriptionId: newUuid() })).rejects.toMatchObject(refused)
    await expect(start({ ...request, invoiceId: newUuid() })).rejects.toMatchObject(refused)
    await expect(start({ ...request, accountId: '100000000000' })).rejects.toMatchObject(refused)
    await expect(start({ ...request, amount: 0n })).rejects.toThrow('some of the bill’s own money')
    await expect(start({ ...request, currency: 'EUR' })).rejects.toThrow('some of the bill’s own money')
    expect(await states(subscription.accountId)).toEqual([])
    expect(await start({ ...request, amount: 1000n })).toBeDefined()
    await at.drain()
    expect(await refunded(subscription.accountId)).toEqual([1000])
  })

  test.each([
    ['after it was returned', 'lost after', false],
    ['after it was returned, and the key is forgotten', 'lost after', true],
    ['before', 'lost before', true],
  ] as const)('whose answer was lost %s is returned once', async (_name, mishap, forgotten) => {
    const { subscription, request } = await paid()
    await start(request)
    at.processor.mishaps.push(mishap)
    expect(await at.drain()).toBe(1)
    expect(await states(subscription.accountId)).toEqual(['started'])
    if (forgotten) await at.forgetKeys()
    expect(await at.retry()).toBe(0)
    expect(await refunded(subscription.accountId)).toEqual([500])
    expect(await states(subscription.accountId)).toEqual(['succeeded'])
  })

  test('its task and repeats of it at once return it once', async () => {
    const { subscription, request } = await paid()
    const refundId = await start(request)
    const task = { accountId: subscription.accountId, refundId: refundId ?? '' }
    const paying = Array.from({ length: 5 }, () => refundPayment(at.database, at.processor, task))
    await Promise.allSettled([...paying, at.drain()])
    await at.retry()
    expect(await refunded(subscription.accountId)).toEqual([500])
    expect(await owed(subscription.accountId)).toEqual([])
    await refundPayment(at.database, at.processor, { ...task, refundId: newUuid() })
  })

  test('refused by the processor leaves the buyer a credit, audited, and is not tried again', async () => {
    const { subscription, request } = await paid()
    const { accountId } = subscription
    await start(request)
    at.processor.mishaps.push('refused')
    expect(await at.drain()).toBe(0)
    expect(await states(accountId)).toEqual(['failed'])
    expect(await owed(accountId)).toEqual([{ minor: -500n, currency: 'USD' }])
    expect(await refunded(accountId)).toEqual([])
    expect(await start(request)).toBeUndefined()
    const { rows } = await at.house.pool.query<{ action: string }>(
      `select action from audit_entry where account_id = $1 and action like 'refund%'`,
      [accountId],
    )
    expect(rows).toEqual([{ action: 'refund failed' }])
  })
})

test('refunds of bills that were paid by a later one come out of its payment, and together never exceed it', async () => {
  const accountId = await newBuyer(at.database, at.processor)
  const subscription = await buy(at.database, at.processor, accountId, cheap)
  const other = await buy(at.database, at.processor, accountId, product)
  const carried = await requestOf(subscription, 30n)
  await expect(start(carried)).rejects.toMatchObject({ code: 'IncorrectState' })
  await at.drain()
  // All that is due on 1 July is the carried $0.30 and the $0.60 and $20.00 of July; the first try fails.
  await enterCard(at.database, at.processor, accountId, decliningCard)
  await at.house.setClock(new Date('2026-07-01T00:00:00Z'))
  await closeMonth(at.database, { month: '2026-06' })
  await at.advance('2026-07-01T00:00:00Z')
  await expect(start(carried)).rejects.toMatchObject({ code: 'IncorrectState' })
  await enterCard(at.database, at.processor, accountId)
  await at.drain()
  const monthly = (await at.bills(accountId)).find((bill) => bill.kind === 'monthly')
  expect(monthly).toMatchObject({ state: 'paid', total: 2060n, amountDue: 2090n })
  const [payment] = (await at.captures(accountId)).filter((intent) => intent.amount === 2090)

  const july = { ...carried, invoiceId: monthly?.invoiceId ?? '', month: '2026-07' as const }
  const ofJuly = [
    { ...july, amount: 60n },
    { ...july, ...(await requestOf(other, 2000n)), invoiceId: july.invoiceId, month: july.month },
  ]
  await Promise.all([carried, ...ofJuly].map(start))
  await at.drain()
  const refunds = await at.stripe.refunds.list({ payment_intent: payment?.id ?? '' })
  expect(refunds.data.map((one) => one.amount).sort((a, b) => a - b)).toEqual([30, 60, 2000])
  expect(await states(accountId)).toEqual(['succeeded', 'succeeded', 'succeeded'])
})

test('cancelling refunds the charge of the month that was paid through a later bill', async () => {
  const accountId = await newBuyer(at.database, at.processor)
  await at.house.setClock(new Date('2026-07-16T00:00:00Z'))
  const subscription = await buy(at.database, at.processor, accountId, cheap)
  await at.advance('2026-08-01T00:00:00Z')
  expect((await at.bills(accountId)).map((bill) => bill.state)).toEqual(['paid', 'paid'])
  await at.advance('2026-08-16T12:00:00Z')
  const { refund } = await at.database.transaction((tx) =>
    cancelSubscription(tx, { ...subscription, actor: accountId }),
  )
  expect(refund).toEqual({ minor: 29n, currency: 'USD' })
  await at.drain()
  expect(await refunded(accountId)).toEqual([29])
})

test('a refund whose task has given up is put to the processor anew the next day', async () => {
  const accountId = await newBuyer(at.database, at.processor)
  const subscription = await buy(at.database, at.processor, accountId, product)
  await at.drain()
  await start({ ...(await requestOf(subscription)), month: '2026-08' })
  at.processor.mishaps.push('lost after')
  await at.drain()
  await at.house.pool.query('update graphile_worker._private_jobs set attempts = max_attempts')
  expect(await at.retry()).toBe(0)
  expect(await states(accountId)).toEqual(['started'])
  await at.advance('2026-08-17T12:00:00Z')
  expect(await states(accountId)).toEqual(['succeeded'])
  expect(await refunded(accountId)).toEqual([500])
})
