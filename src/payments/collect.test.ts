import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import { buy, newBuyer, order } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import { sql } from '../database/database.ts'
import { closeMonth } from '../invoices/close-month.ts'
import type { Invoice } from '../invoices/invoices.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import { vetOrder } from '../orders/vet-order.ts'
import { collectInvoice, finishAttempt } from './collect.ts'
import { payNow } from './pay-now.ts'
import { settleAttempt } from './settle-attempt.ts'
import { startAttempt } from './start-attempt.ts'
import { findAttempt } from './store.ts'

let at: Collections
/** Buyers who signed up on 16 June for two products and a cheap one, whose bill of $0.20 is carried. */
const buyers: string[] = []
let codes: string[]
beforeAll(async () => {
  at = await openCollections('2026-06-16T00:00:00Z')
  const monthly = async (price: string) =>
    (await newProduct(at.database, { name: `At ${price}`, price: { monthly: price } })).product
  const products = [await monthly('20.00'), await monthly('7.00'), await monthly('0.40')]
  codes = products.map((product) => product.productCode)
  for (let count = 0; count < 9; count += 1) {
    const accountId = await newBuyer(at.database, at.processor)
    for (const product of products) await buy(at.database, at.processor, accountId, product)
    buyers.push(accountId)
  }
  await at.drain()
  await at.house.setClock(new Date('2026-07-01T00:00:00Z'))
  await closeMonth(at.database, { month: '2026-06' })
})
afterAll(() => at.close())
afterEach(async () => {
  expect(at.processor.mishaps).toEqual([])
  expect(await at.broken()).toEqual([])
})

/** The open bill of July's charges, which also collects the carried one; each test has another buyer's. */
async function openBill(): Promise<Invoice> {
  const accountId = buyers.pop() ?? ''
  const [bill] = await at.bills(accountId)
  if (bill?.state !== 'open') throw new Error(`the bill is ${bill?.state}`)
  return bill
}

async function stateOf({ accountId, invoiceId }: Invoice): Promise<string | undefined> {
  return (await at.bills(accountId)).find((bill) => bill.invoiceId === invoiceId)?.state
}

/** Captures of the bill at the processor. */
async function capturesOf({ accountId, invoiceId }: Invoice): Promise<number[]> {
  const captures = await at.captures(accountId)
  return captures.filter(({ metadata }) => metadata['invoice_id'] === invoiceId).map((intent) => intent.amount)
}

async function transfersOf(bill: Invoice): Promise<string[]> {
  const rows = await at.database.read((tx) =>
    tx.rows<{ text: string }>(sql`
      select transfer.kind || ' ' || coalesce(product_code, '') || ' ' || coalesce(transfer.month, '') || ' ' || amount as text
        from transfer join invoice using (account_id, invoice_id)
       where account_id = ${bill.accountId} and ${bill.invoiceId} in (invoice_id, carried_into) and transfer.kind <> 'billed'
       order by transfer.kind desc, transfer.month, product_code`),
  )
  return rows.map((row) => row.text)
}

describe('a bill', () => {
  test('is captured once, however many collect it at once, its tasks and events among them', async () => {
    const bill = await openBill()
    const reference = { ...bill, attemptNumber: 1 }
    const collecting = [
      ...Array.from({ length: 4 }, () => collectInvoice(at.database, at.processor, bill)),
      ...Array.from({ length: 4 }, () => payNow(at.database, at.processor, bill)),
      ...Array.from({ length: 4 }, () => finishAttempt(at.database, at.processor, reference)),
    ]
    const answers = await Promise.allSettled(collecting)
    for (const answer of answers) {
      const state = answer.status === 'fulfilled' ? answer.value.state : (answer.reason as { code: string }).code
      // Whoever asks while another asks the same may be told so.
      expect(['succeeded', 'nothing-due', 'ProcessorUnavailable', 'IncorrectState']).toContain(state)
    }
    const events = (await at.events()).filter((event) => JSON.stringify(event).includes(bill.invoiceId))
    expect(events.length).toBeGreaterThan(0)
    await Promise.all([...events, ...events].map((event) => at.deliver(event)))
    expect(await at.drain()).toBe(0)
    expect(await stateOf(bill)).toBe('paid')
    expect(await capturesOf(bill)).toEqual([2760])
    expect(await collectInvoice(at.database, at.processor, bill)).toEqual({ state: 'nothing-due' })
    await expect(payNow(at.database, at.processor, bill)).rejects.toMatchObject({ code: 'IncorrectState' })
  })

  test('paid deposits every line, carried bills’ too, takes one fee for each product, and plans their settlement', async () => {
    const bill = await openBill()
    expect(bill).toMatchObject({ total: 2740n, amountDue: 2760n })
    expect((await collectInvoice(at.database, at.processor, bill)).state).toBe('succeeded')
    const [twenty = '', seven = '', cheap = ''] = codes
    const byCode = (entries: [string, string][]) => entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
    expect(await transfersOf(bill)).toEqual([
      ...byCode(codes.map((code) => [code, `transaction-fee ${code} 2026-06 30`])),
      'paid   2760',
      `deposited ${cheap} 2026-06 20`,
      ...byCode([
        [twenty, `deposited ${twenty} 2026-07 2000`],
        [seven, `deposited ${seven} 2026-07 700`],
        [cheap, `deposited ${cheap} 2026-07 40`],
      ]),
    ])
    const { rows } = await at.house.pool.query<{ month: string; due: Date }>(
      'select month, due_at as due from settlement_due where account_id = $1 and product_code = $2 order by month',
      [bill.accountId, cheap],
    )
    expect(rows).toEqual(['2026-06', '2026-07'].map((month) => ({ month, due: new Date('2026-07-02T00:00:00Z') })))
    expect((await at.bills(bill.accountId)).map((one) => one.state)).toEqual(['paid', 'paid', 'paid', 'paid'])
    const mails = await at.mails(`paid/${bill.accountId}/${bill.invoiceId}`)
    expect(mails.map((mail) => mail.subject)).toEqual(['Your bill for 2026-06 is paid: $27.60'])
  })

  test.each([
    ['lost after it was taken', 'lost after', false],
    ['lost after it was taken, and the key is forgotten', 'lost after', true],
    ['lost before it was taken', 'lost before', false],
    ['lost before it was taken, and the key is forgotten', 'lost before', true],
  ] as const)('whose answer was %s is finished by its task', async (_name, mishap, forgotten) => {
    const bill = await openBill()
    at.processor.mishaps.push(mishap)
    const collecting = collectInvoice(at.database, at.processor, bill)
    await expect(collecting).rejects.toMatchObject({ code: 'ProcessorUnavailable' })
    expect(await stateOf(bill)).toBe('open')
    if (forgotten) await at.forgetKeys()
    expect(await at.drain()).toBe(0)
    expect(await stateOf(bill)).toBe('paid')
    expect(await capturesOf(bill)).toEqual([2760])
    expect(new Set(at.processor.asked.filter((key) => key.includes(bill.invoiceId)))).toEqual(
      new Set([`charge/${bill.accountId}/${bill.invoiceId}/1`]),
    )
  })

  test('the processor decides on later is waited for by its task and settled by whatever comes first', async () => {
    const [byTask, byEvent] = [await openBill(), await openBill()]
    for (const bill of [byTask, byEvent]) {
      at.processor.mishaps.push('undecided')
      expect(await collectInvoice(at.database, at.processor, bill)).toEqual({ state: 'processing' })
      expect(await payNow(at.database, at.processor, bill)).toEqual({ state: 'processing' })
    }
    expect(await at.drain()).toBe(2)
    const event = (await at.events()).find(
      ({ type, data }) =>
        type === 'payment_intent.succeeded' && JSON.stringify(data.object).includes(byEvent.invoiceId),
    )
    if (event === undefined) throw new Error('there is no event of the payment')
    await at.deliver(event)
    await at.drain()
    expect([await stateOf(byTask), await stateOf(byEvent)]).toEqual(['open', 'paid'])
    at.processor.decide()
    expect(await at.retry()).toBe(0)
    await at.deliver(event)
    expect(await at.drain()).toBe(0)
    for (const bill of [byTask, byEvent]) {
      expect(await stateOf(bill)).toBe('paid')
      expect(await capturesOf(bill)).toEqual([2760])
    }
  })
})

test('an attempt is settled once: what is said of it later changes nothing', async () => {
  const bill = await openBill()
  const attempt = await at.database.transaction((tx) => startAttempt(tx, bill))
  if (attempt === undefined) throw new Error('nothing is due')
  const failed = { state: 'failed', code: 'card_declined', message: 'Declined.' } as const
  const settle = (outcome: Parameters<typeof settleAttempt>[2]) =>
    at.database.transaction((tx) => settleAttempt(tx, attempt, outcome))
  expect(await settle(failed)).toBe(true)
  expect(await settle(failed)).toBe(false)
  expect(await settle({ state: 'succeeded', paymentId: 'pi_late' })).toBe(false)
  expect(await at.database.read((tx) => findAttempt(tx, attempt))).toMatchObject({ state: 'failed' })
  expect(await stateOf(bill)).toBe('open')
  // Its task finds it settled and asks nobody.
  await at.drain()
  expect(await capturesOf(bill)).toEqual([])
})

describe('the bill of a sign-up', () => {
  const placed = async (card?: string) => {
    const { product } = await newProduct(at.database)
    const accountId = await newBuyer(at.database, at.processor, card)
    const { subscription } = await order(at.database, accountId, product)
    const [bill] = await at.bills(accountId)
    if (bill === undefined) throw new Error('there is no bill')
    return { subscription, bill }
  }
  const stateOfSubscription = async (of: { accountId: string; subscriptionId: string }) =>
    (await at.database.read((tx) => findSubscription(tx, of)))?.state

  test('has one attempt ever: refused once, it is refused whoever asks, and no one is dunned', async () => {
    const { subscription, bill } = await placed('4000000000000341')
    for (let count = 0; count < 3; count += 1) {
      expect((await collectInvoice(at.database, at.processor, bill)).state).toBe('failed')
    }
    expect((await payNow(at.database, at.processor, bill)).state).toBe('failed')
    expect(at.processor.asked.filter((key) => key.includes(bill.invoiceId))).toHaveLength(1)
    expect(await stateOf(bill)).toBe('open')
    await at.drain()
    expect(await stateOf(bill)).toBe('void')
    expect(await stateOfSubscription(subscription)).toBe('failed')
    expect((await collectInvoice(at.database, at.processor, bill)).state).toBe('failed')
    expect(await at.mails(`payment-failed/${bill.accountId}`)).toEqual([])
    expect(await capturesOf(bill)).toEqual([])
  })

  test.each([
    ['4242424242424242', 'active', 'paid', 1],
    ['4000000000000341', 'failed', 'void', 0],
  ] as const)('decided by an event lets the order of %s become %s', async (card, end, billEnd, captures) => {
    const { subscription, bill } = await placed(card)
    at.processor.mishaps.push('undecided')
    expect(await vetOrder(at.database, at.processor, subscription)).toBe('undecided')
    const events = (await at.events()).filter(
      ({ type, data }) => type.startsWith('payment_intent.') && JSON.stringify(data).includes(bill.invoiceId),
    )
    expect(events.length).toBeGreaterThan(0)
    for (const event of [...events].reverse()) await at.deliver(event)
    await at.drain()
    expect(await stateOfSubscription(subscription)).toBe(end)
    expect(await stateOf(bill)).toBe(billEnd)
    at.processor.decide()
    expect(await at.retry()).toBe(0)
    expect(await capturesOf(bill)).toHaveLength(captures)
  })
})
