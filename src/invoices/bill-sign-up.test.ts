import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { at, signUp, writeProduct, type TestSubscription } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { newUuid } from '../base/ids.ts'
import { receivable } from '../ledger/sum-balance.ts'
import { billSignUp } from './bill-sign-up.ts'
import { findInvoice, findMonthlyCharge, listInvoices } from './find-invoice.ts'
import { stateOfNewBill } from './invoices.ts'
import { voidInvoice } from './void-invoice.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

async function order(price: { oneTime?: string; monthly?: string }): Promise<TestSubscription> {
  return await at(house, '2026-06-03T15:00:00Z', async (tx) =>
    signUp(tx, await writeProduct(tx, price), { state: 'pending' }),
  )
}

/** The sign-up's own bill, which it must have. */
function billOf({ accountId, bill }: TestSubscription): { accountId: string; invoiceId: string } {
  expect(bill).toBeDefined()
  return { accountId, invoiceId: bill?.invoiceId ?? '' }
}

describe('billSignUp', () => {
  it('charges the one-time charge and the rest of the month, sign-up day included', async () => {
    const subscription = await order({ oneTime: '49.00', monthly: '20.00' })
    const bill = await house.database.read((tx) => findInvoice(tx, billOf(subscription)))
    expect(bill).toMatchObject({
      kind: 'sign-up',
      month: '2026-06',
      total: 6767n,
      amountDue: 6767n,
      state: 'open',
      attemptDueAt: null,
      lines: [
        { lineNumber: 1, kind: 'one-time', amount: 4900n, month: '2026-06' },
        {
          lineNumber: 2,
          kind: 'monthly',
          amount: 1867n,
          periodStart: new Date('2026-06-03T00:00:00Z'),
          periodEnd: new Date('2026-07-01T00:00:00Z'),
        },
      ],
    })
    expect(await house.database.read((tx) => receivable(tx, subscription))).toEqual([{ currency: 'USD', minor: 6767n }])
    const charge = await house.database.transaction((tx) =>
      findMonthlyCharge(tx, { ...subscription, month: '2026-06' }),
    )
    expect(charge).toMatchObject({ amount: 1867n, invoiceState: 'open', priceVersion: 1, currency: 'USD' })
    const july = await house.database.transaction((tx) => findMonthlyCharge(tx, { ...subscription, month: '2026-07' }))
    expect(july).toBeUndefined()
  })

  it('makes no bill when nothing is due, and the same bill when asked again', async () => {
    expect((await order({})).bill).toBeUndefined()
    const { bill, accountId, subscriptionId, product } = await order({ oneTime: '5' })
    const again = await house.database.transaction((tx) =>
      billSignUp(tx, {
        subscription: { accountId, subscriptionId, ...product, createdAt: tx.now },
        price: { version: 1, currency: 'USD' },
        oneTime: 500n,
        firstMonth: 0n,
      }),
    )
    expect(again).toEqual(bill)
    expect(await house.database.read((tx) => listInvoices(tx, { accountId }))).toHaveLength(1)
  })
})

describe('voidInvoice', () => {
  it('reverses what was booked, once', async () => {
    const subscription = await order({ oneTime: '5', monthly: '20' })
    const voided = (): Promise<boolean> => house.database.transaction((tx) => voidInvoice(tx, billOf(subscription)))
    expect(await voided()).toBe(true)
    expect(await voided()).toBe(false)
    const bill = await house.database.read((tx) => findInvoice(tx, billOf(subscription)))
    expect(bill).toMatchObject({ state: 'void', total: 2367n })
    expect(await house.database.read((tx) => receivable(tx, subscription))).toEqual([])
  })

  it('reverses a bill below the minimum that still waits', async () => {
    const subscription = await order({ oneTime: '0.20' })
    expect(subscription.bill?.state).toBe('carried')
    expect(await house.database.transaction((tx) => voidInvoice(tx, billOf(subscription)))).toBe(true)
    expect(await house.database.read((tx) => receivable(tx, subscription))).toEqual([])
  })

  it('refuses a bill that is paid, unknown, another account’s, or being collected', async () => {
    const subscription = await order({ oneTime: '5' })
    const { accountId, invoiceId } = billOf(subscription)
    const refused = async (of: { accountId: string; invoiceId: string }, sentence: string): Promise<void> => {
      await expect(house.database.transaction((tx) => voidInvoice(tx, of))).rejects.toThrow(sentence)
    }
    await refused({ accountId, invoiceId: newUuid() }, 'There is no invoice')
    await refused({ accountId: '100000000000', invoiceId }, 'There is no invoice')
    await house.pool.query(
      `insert into payment_attempt (account_id, invoice_id, attempt_number, state, amount, currency, payment_method_id, started_at)
       values ($1, $2, 1, 'started', 500, 'USD', 'pm_1', now())`,
      [accountId, invoiceId],
    )
    await refused({ accountId, invoiceId }, 'is being collected')
    await house.pool.query(`update payment_attempt set state = 'succeeded', settled_at = now() where account_id = $1`, [
      accountId,
    ])
    await house.pool.query(`update invoice set state = 'paid', paid_at = now() where account_id = $1`, [accountId])
    await refused({ accountId, invoiceId }, 'in state paid')
    expect(await house.database.read((tx) => receivable(tx, { accountId }))).toEqual([{ currency: 'USD', minor: 500n }])
  })
})

describe('listInvoices', () => {
  it('lists newest first, a page at a time, of one account only', async () => {
    const first = await order({ oneTime: '5' })
    const product = first.product
    const second = await at(house, '2026-06-04', (tx) => signUp(tx, product, { ...first, state: 'pending' })).catch(
      (error: unknown) => error,
    )
    // One live subscription per buyer and product, by constraint: another product is bought instead.
    expect(second).toBeInstanceOf(Error)
    await at(house, '2026-06-05', async (tx) => signUp(tx, await writeProduct(tx, { oneTime: '6' }), first))
    const page = await house.database.read((tx) => listInvoices(tx, { accountId: first.accountId, limit: 1 }))
    expect(page.map((bill) => bill.total)).toEqual([600n])
    const [last] = page
    const rest = await house.database.read((tx) =>
      listInvoices(tx, { accountId: first.accountId, ...(last === undefined ? {} : { before: last }) }),
    )
    expect(rest.map((bill) => bill.total)).toEqual([500n])
    expect(await house.database.read((tx) => listInvoices(tx, { ...first, month: '2026-05' }))).toEqual([])
  })
})

describe('stateOfNewBill', () => {
  it.each([
    [0n, 0n, { state: 'paid', amountDue: 0n, takesCarried: false }],
    [49n, 0n, { state: 'carried', amountDue: 49n, takesCarried: false }],
    [50n, 0n, { state: 'open', amountDue: 50n, takesCarried: false }],
    [20n, 29n, { state: 'carried', amountDue: 20n, takesCarried: false }],
    [20n, 30n, { state: 'open', amountDue: 50n, takesCarried: true }],
    [0n, 30n, { state: 'paid', amountDue: 0n, takesCarried: false }],
    [0n, 60n, { state: 'open', amountDue: 60n, takesCarried: true }],
  ])('a total of %i with %i waiting', (total, carried, expected) => {
    expect(stateOfNewBill(total, carried, 50n)).toEqual(expected)
  })

  it('collects everything when there is no minimum, and never nothing', () => {
    expect(stateOfNewBill(1n, 0n, 0n).state).toBe('open')
    expect(stateOfNewBill(0n, 0n, 0n).state).toBe('paid')
  })
})
