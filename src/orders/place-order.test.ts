import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { drawOrder, enterCard, newBuyer, openTill, order, type Till } from '../../test/orders.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import { newUuid } from '../base/ids.ts'
import { sha256Hex } from '../base/seal.ts'
import { sql } from '../database/database.ts'
import { findInvoice, findSignUpInvoice, listInvoices } from '../invoices/find-invoice.ts'
import { withdrawProduct } from '../products/withdraw-product.ts'
import { failSubscription } from '../subscriptions/fail-subscription.ts'
import { listSubscriptions } from '../subscriptions/find-subscription.ts'
import { findOrder } from './find-order.ts'
import { orderQuote } from './order-quote.ts'
import { placeOrder, type OrderRequest } from './place-order.ts'

let house: TestDatabase
let till: Till
beforeAll(async () => {
  house = await testDatabase({ clock: new Date('2009-06-03T10:00:00Z') })
  till = await openTill(house)
})
afterAll(async () => {
  await till.close()
  await house.close()
})

const buyer = () => newBuyer(house.database, till.processor)
const place = (request: OrderRequest) => house.database.transaction((tx) => placeOrder(tx, request))

/** Everything an order writes, counted. */
async function traces(accountId: string): Promise<Record<string, number>> {
  const { rows } = await house.pool.query<Record<string, bigint>>(
    `select (select count(*) from subscription where account_id = $1) as subscriptions,
            (select count(*) from purchase_order where account_id = $1) as orders,
            (select count(*) from invoice where account_id = $1) as invoices,
            (select count(*) from transfer where account_id = $1) as transfers,
            (select count(*) from graphile_worker._private_jobs
              where payload->>'accountId' = $1 and payload->>'subscriptionId' is not null) as vettings`,
    [accountId],
  )
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([key, value]) => [key, Number(value)]))
}

const oneOrder = { subscriptions: 1, orders: 1, invoices: 1, transfers: 1, vettings: 1 }
const nothing = { subscriptions: 0, orders: 0, invoices: 0, transfers: 0, vettings: 0 }

describe('the quote', () => {
  test.each([
    ['2009-06-03T23:59:59Z', 1867n],
    ['2009-06-04T00:00:00Z', 1800n],
    ['2009-06-05T12:00:00Z', 1733n],
  ])('charges the first month from the sign-up day on: %s', async (now, firstMonth) => {
    const { product } = await newProduct(house.database)
    await house.setClock(new Date(now))
    const quote = await house.database.read((tx) => orderQuote(tx, { offeringCode: product.offeringCode }))
    await house.setClock(new Date('2009-06-03T10:00:00Z'))
    expect(quote).toMatchObject({ oneTime: 0n, firstMonth, initialCharge: firstMonth, currency: 'USD', debt: [] })
    expect(quote.card).toBeUndefined()
    expect(quote.product.productCode).toBe(product.productCode)
  })

  test('is refused for what is not on sale', async () => {
    const quote = (offeringCode: string, accountId?: string) =>
      house.database.read((tx) => orderQuote(tx, { offeringCode, accountId }))
    await expect(quote('00000000')).rejects.toMatchObject({ code: 'ProductNotFound' })
    const { product, sellerAccountId } = await newProduct(house.database)
    const subscriber = await buyer()
    await order(house.database, subscriber, product)
    const { productCode, offeringCode } = product
    await house.database.transaction((tx) => withdrawProduct(tx, { productCode, actor: sellerAccountId }))
    await expect(quote(offeringCode, await buyer())).rejects.toThrow('no longer sold')
    expect((await quote(offeringCode, subscriber)).liveSubscription).toMatchObject({ state: 'pending' })
  })
})

describe('placing an order', () => {
  test('opens the subscription, keeps the agreement, bills the sign-up and makes a key', async () => {
    const { product } = await newProduct(house.database, {
      terms: 'Be good.',
      price: { oneTime: '50.00', monthly: '20.00' },
      redirectUrl: 'https://abc.example.com/in?lang=en',
    })
    const accountId = await buyer()
    const placed = await order(house.database, accountId, product)
    expect(placed.subscription).toMatchObject({ state: 'pending', accountId, productCode: product.productCode })
    expect(placed.repeated).toBe(false)
    expect(placed.activationKey).toMatch(/^A[A-Z2-7]{27}$/)
    expect(placed.redirectUrl).toBe(
      `https://abc.example.com/in?lang=en&ActivationKey=${placed.activationKey}&ProductCode=${product.productCode}`,
    )
    await house.database.read(async (tx) => {
      expect(await findOrder(tx, placed.subscription)).toMatchObject({
        priceVersion: 1,
        oneTime: 5000n,
        firstMonth: 1867n,
        termsSha256: sha256Hex('Be good.'),
      })
      const invoice = await findSignUpInvoice(tx, placed.subscription)
      expect(invoice).toMatchObject({ kind: 'sign-up', total: 6867n, state: 'open', attemptDueAt: null })
      const lines = (await findInvoice(tx, { accountId, invoiceId: invoice?.invoiceId ?? '' }))?.lines
      expect(lines?.map((line) => [line.kind, line.amount])).toEqual([
        ['one-time', 5000n],
        ['monthly', 1867n],
      ])
    })
    expect(await traces(accountId)).toEqual({ ...oneOrder, transfers: 2 })
  })

  test('a product charged by use alone makes no bill', async () => {
    const rates = [{ region: 'us-east-1', environment: 'linux', instanceType: 'm1.small', rate: '0.20' }]
    const { product } = await newProduct(house.database, { price: { rates } })
    const accountId = await buyer()
    await order(house.database, accountId, product)
    expect(await traces(accountId)).toEqual({ ...oneOrder, invoices: 0, transfers: 0 })
  })

  test('the same page sent twice, and many times at once, is one order', async () => {
    const { product } = await newProduct(house.database)
    const accountId = await buyer()
    const request = await drawOrder(house.database, accountId, product)
    const all = await Promise.all(Array.from({ length: 8 }, () => place(request)))
    all.push(await place(request))
    expect(new Set(all.map((one) => one.subscription.subscriptionId)).size).toBe(1)
    expect(all.filter((one) => !one.repeated)).toHaveLength(1)
    // Only digests of keys are kept: each answer has a key of its own, and every one is good.
    expect(new Set(all.map((one) => one.activationKey)).size).toBe(9)
    expect(await traces(accountId)).toEqual(oneOrder)
  })

  test('two tabs are one order: the second lands on the first’s confirmation', async () => {
    const { product } = await newProduct(house.database)
    const accountId = await buyer()
    const tabs = await Promise.all(Array.from({ length: 6 }, () => drawOrder(house.database, accountId, product)))
    const all = await Promise.all(tabs.map(place))
    expect(new Set(all.map((one) => one.subscription.subscriptionId)).size).toBe(1)
    expect(all.filter((one) => !one.repeated)).toHaveLength(1)
    expect(await traces(accountId)).toEqual(oneOrder)
  })

  test('two buyers at once are two orders', async () => {
    const { product } = await newProduct(house.database)
    const buyers = await Promise.all(Array.from({ length: 4 }, buyer))
    const all = await Promise.all(buyers.map((accountId) => order(house.database, accountId, product)))
    expect(new Set(all.map((one) => one.subscription.subscriptionId)).size).toBe(4)
    for (const accountId of buyers) expect(await traces(accountId)).toEqual(oneOrder)
  })

  test('a page that is sent again after its order failed says so, and another order is possible', async () => {
    const { product } = await newProduct(house.database)
    const accountId = await buyer()
    const request = await drawOrder(house.database, accountId, product)
    const { subscription } = await place(request)
    await house.database.transaction((tx) => failSubscription(tx, subscription))
    const repeated = await place(request)
    expect(repeated).toMatchObject({ repeated: true, subscription: { state: 'failed' } })
    expect(repeated.activationKey).toBeUndefined()
    expect(repeated.redirectUrl).toBeUndefined()
    const anew = await order(house.database, accountId, product)
    expect(anew.repeated).toBe(false)
    expect(await house.database.read((tx) => listSubscriptions(tx, { accountId }))).toHaveLength(2)
  })
})

describe('is refused, and nothing written,', () => {
  async function refusal(request: OrderRequest): Promise<{ code: string; message: string; wrote: boolean }> {
    const before = await traces(request.accountId)
    const error: unknown = await place(request).then(
      () => new Error('it was placed'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof Fault)) throw error
    const after = await traces(request.accountId)
    return { code: error.code, message: error.message, wrote: JSON.stringify(after) !== JSON.stringify(before) }
  }
  const refused = (code: string, sentence: RegExp) => ({
    code,
    message: expect.stringMatching(sentence) as string,
    wrote: false,
  })

  test('without a card', async () => {
    const { product } = await newProduct(house.database)
    const accountId = await newAccount(house.database)
    expect(await refusal(await drawOrder(house.database, accountId, product))).toEqual(
      refused('IncorrectState', /no card on file/),
    )
    await enterCard(house.database, till.processor, accountId)
    expect((await order(house.database, accountId, product)).repeated).toBe(false)
  })

  test('without the terms accepted', async () => {
    const { product } = await newProduct(house.database, { terms: 'Be good.' })
    const accountId = await buyer()
    const request = await drawOrder(house.database, accountId, product)
    expect(await refusal({ ...request, termsAccepted: false })).toEqual(refused('MissingParameter', /terms/))
    expect(await traces(accountId)).toEqual(nothing)
  })

  test('when charge or price changed since the page was drawn', async () => {
    const { product } = await newProduct(house.database)
    const accountId = await buyer()
    const request = await drawOrder(house.database, accountId, product)
    await house.setClock(new Date('2009-06-04T00:00:00Z'))
    expect(await refusal(request)).toEqual(refused('Conflict', /you saw is \$18\.67, it is \$18\.00 now/))
    await house.setClock(new Date('2009-06-03T10:00:00Z'))
    expect(await refusal({ ...request, agreedPriceVersion: 2 })).toEqual(refused('Conflict', /price has changed/))
  })

  test('with a debt', async () => {
    const { product } = await newProduct(house.database)
    const accountId = await buyer()
    await house.database.transaction((tx) =>
      tx.run(sql`
        insert into invoice (account_id, invoice_id, kind, month, currency, total, amount_due, state, issued_at)
          values (${accountId}, ${newUuid()}, 'monthly', '2009-04', 'USD', 1234, 1234, 'unpaid', ${tx.now})`),
    )
    expect(await refusal(await drawOrder(house.database, accountId, product))).toEqual(
      refused('DebtOutstanding', /\$12\.34.*\/billing/),
    )
  })

  test('with a page of another product, or none', async () => {
    const [one, other] = [await newProduct(house.database), await newProduct(house.database)]
    const accountId = await buyer()
    const request = await drawOrder(house.database, accountId, one.product)
    await place(request)
    expect(await refusal({ ...request, offeringCode: other.product.offeringCode })).toEqual(
      refused('IdempotencyMismatch', /another product/),
    )
    expect(await refusal({ ...request, nonce: 'short' })).toEqual(refused('InvalidParameter', /incomplete/))
    expect(await refusal({ ...request, nonce: randomUUID(), offeringCode: '00000000' })).toEqual(
      refused('ProductNotFound', /purchase URL/),
    )
    expect(await house.database.read((tx) => listInvoices(tx, { accountId }))).toHaveLength(1)
  })

  test('of two products at once under one nonce one is ordered', async () => {
    const [one, other] = [await newProduct(house.database), await newProduct(house.database)]
    const accountId = await buyer()
    const request = await drawOrder(house.database, accountId, one.product)
    const outcomes = await Promise.allSettled([
      place(request),
      place({ ...request, offeringCode: other.product.offeringCode }),
    ])
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await traces(accountId)).toEqual(oneOrder)
  })
})
