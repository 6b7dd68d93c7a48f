import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { at, cancel, hoursOf, signUp, writePrice, writeProduct, writeRateCard, writeRun } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { sql } from '../database/database.ts'
import { receivable } from '../ledger/sum-balance.ts'
import { closeMonth, type CloseProgress } from './close-month.ts'
import { estimateMonth } from './estimate-month.ts'
import { findInvoice, listInvoices, type InvoiceWithLines } from './find-invoice.ts'
import { monthCloseDue } from './month-close-due.ts'
import { listParked, releaseParked } from './parked-accounts.ts'

let house: TestDatabase
beforeEach(async () => {
  house = await testDatabase()
})
afterEach(() => house.close())

/** Every bill of an account with its lines, newest first. */
async function billsOf(accountId: string): Promise<InvoiceWithLines[]> {
  return await house.database.read(async (tx) => {
    const bills: InvoiceWithLines[] = []
    for (const { invoiceId } of await listInvoices(tx, { accountId })) {
      const bill = await findInvoice(tx, { accountId, invoiceId })
      if (bill !== undefined) bills.push(bill)
    }
    return bills
  })
}

async function rowsOf(table: string): Promise<Record<string, unknown>[]> {
  return (await house.pool.query<Record<string, unknown>>(`select * from ${table} order by 1, 2, 3`)).rows
}

describe('the June example of spec §7', () => {
  it('comes out to the cent, and the bills of 1 July with it', async () => {
    const product = await at(house, '2009-06-01', async (tx) => {
      await writeRateCard(tx, { rates: { 'm1.small': '0.10', 'm1.large': '0.40', 'm1.xlarge': '0.80' } })
      const rates = { 'm1.small': '0.20', 'm1.large': '0.50', 'm1.xlarge': '0.90' }
      return await writeProduct(tx, { monthly: '20.00', rates })
    })
    const a = await at(house, '2009-06-03T10:00:00Z', (tx) => signUp(tx, product))
    const b = await at(house, '2009-06-04T11:00:00Z', (tx) => signUp(tx, product))
    const c = await at(house, '2009-06-05T12:00:00Z', (tx) => signUp(tx, product))
    expect([a, b, c].map(({ bill }) => bill?.total)).toEqual([1867n, 1800n, 1733n])
    await at(house, '2009-06-14T12:00:00Z', async (tx) => {
      const noon = new Date('2009-06-10T12:00:00Z')
      await writeRun(tx, a, { instanceType: 'm1.large', startedAt: noon, endedAt: new Date('2009-06-10T14:15:00Z') })
      await writeRun(tx, a, { instanceType: 'm1.xlarge', startedAt: noon, endedAt: new Date('2009-06-10T17:00:00Z') })
      await writeRun(tx, b, { instanceType: 'm1.small', startedAt: noon, endedAt: new Date('2009-06-10T19:59:59Z') })
    })

    const estimates = await Promise.all(
      [a, b, c].map(({ accountId }) => house.database.read((tx) => estimateMonth(tx, { accountId }))),
    )
    expect(estimates.map(({ totals }) => totals)).toEqual([
      [{ currency: 'USD', amount: 2467n }],
      [{ currency: 'USD', amount: 1960n }],
      [{ currency: 'USD', amount: 1733n }],
    ])
    expect(estimates.flatMap(({ totals }) => totals.map((total) => total.amount)).reduce((x, y) => x + y)).toBe(6160n)
    expect(estimates[0]?.products[0]?.lines.map((line) => [line.kind, line.quantity, line.amount])).toEqual([
      ['monthly', 1n, 1867n],
      ['usage', 3n, 150n],
      ['usage', 5n, 450n],
    ])

    await house.setClock(new Date('2009-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2009-06' })
    const [julyA] = await billsOf(a.accountId)
    expect(julyA).toMatchObject({ kind: 'monthly', month: '2009-06', total: 2600n, amountDue: 2600n, state: 'open' })
    expect(julyA?.lines).toMatchObject([
      { kind: 'usage', dimension: hoursOf('m1.large'), month: '2009-06', quantity: 3n, amount: 150n, cost: 120n },
      { kind: 'usage', dimension: hoursOf('m1.xlarge'), month: '2009-06', quantity: 5n, amount: 450n, cost: 400n },
      { kind: 'monthly', month: '2009-07', quantity: 1n, amount: 2000n, cost: 0n },
    ])
    expect((await billsOf(b.accountId))[0]?.total).toBe(2160n)
    expect((await billsOf(c.accountId))[0]?.total).toBe(2000n)
    const final = await house.database.read((tx) => estimateMonth(tx, { accountId: a.accountId, month: '2009-06' }))
    expect(final).toMatchObject({ final: true, totals: [{ currency: 'USD', amount: 2467n }] })
    expect(await house.database.read((tx) => receivable(tx, { accountId: a.accountId }))).toEqual([
      { currency: 'USD', minor: 1867n + 2600n },
    ])
    // Only who used something owes the cloud before anything is collected; due the next day.
    const due = (await rowsOf('settlement_due')).map((row) => [row['account_id'], row['month'], row['due_at']])
    const nextDay = new Date('2009-07-02T00:00:00Z')
    expect(due).toHaveLength(2)
    expect(due).toEqual(
      expect.arrayContaining([
        [a.accountId, '2009-06', nextDay],
        [b.accountId, '2009-06', nextDay],
      ]),
    )
  })
})

describe('closeMonth', () => {
  it('twice is once', async () => {
    const { accountId } = await at(house, '2026-06-10', async (tx) =>
      signUp(tx, await writeProduct(tx, { monthly: '10' })),
    )
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    const first = await closeMonth(house.database, { month: '2026-06' })
    expect(first).toEqual({ month: '2026-06', done: 1, total: 1, parked: 0, finished: true })
    const tables = ['invoice', 'invoice_line', 'transfer', 'account_month', 'subscription_month', 'month_close']
    const before = await Promise.all(tables.map(rowsOf))
    await house.setClock(new Date('2026-07-03T00:00:00Z'))
    expect(await closeMonth(house.database, { month: '2026-06' })).toEqual(first)
    expect(await Promise.all(tables.map(rowsOf))).toEqual(before)
    expect(await billsOf(accountId)).toHaveLength(2)
  })

  it('refuses a month that has not ended, and a month before its turn', async () => {
    await at(house, '2026-05-10', async (tx) => signUp(tx, await writeProduct(tx, { monthly: '10' })))
    await house.setClock(new Date('2026-06-30T23:59:59.999Z'))
    await expect(closeMonth(house.database, { month: '2026-06' })).rejects.toThrow('has not ended')
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await expect(closeMonth(house.database, { month: '2026-06' })).rejects.toThrow('close 2026-05 before 2026-06')
    expect(await rowsOf('month_close_claim')).toEqual([])
  })

  it('waits for what began before it: a run not committed yet is counted', async () => {
    const product = await at(house, '2026-06-01', (tx) => writeProduct(tx, { rates: { 'm1.small': '1' } }))
    const subscription = await at(house, '2026-06-01', (tx) => signUp(tx, product))
    let commit = (): void => undefined
    const mayCommit = new Promise<void>((resolve) => (commit = resolve))
    let written = (): void => undefined
    const wasWritten = new Promise<void>((resolve) => (written = resolve))
    const launching = house.database.transaction(async (tx) => {
      const startedAt = new Date('2026-06-30T23:30:00Z')
      await writeRun(tx, subscription, { instanceType: 'm1.small', startedAt })
      written()
      await mayCommit
    })
    await wasWritten
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    const closing = closeMonth(house.database, { month: '2026-06' })
    let closed = false
    void closing.then(() => (closed = true))
    // Time enough for a close of one account to end many times over.
    for (let round = 1; round <= 300 && !closed; round += 1) await rowsOf('account_month')
    expect(closed).toBe(false)
    commit()
    await launching
    await closing
    expect(await billsOf(subscription.accountId)).toMatchObject([{ total: 100n, lines: [{ quantity: 1n }] }])
  })

  it('bills cancelled subscriptions their use, and charges them no further month', async () => {
    const product = await at(house, '2026-05-20', (tx) =>
      writeProduct(tx, { monthly: '10', rates: { 'm1.small': '1' } }),
    )
    const subscription = await at(house, '2026-05-20', (tx) => signUp(tx, product))
    await at(house, '2026-06-10', async (tx) => {
      await writeRun(tx, subscription, { instanceType: 'm1.small', startedAt: tx.now, endedAt: tx.now })
      await cancel(tx, subscription)
    })
    const again = await at(house, '2026-06-15', (tx) => signUp(tx, product, subscription))
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-05' })
    await closeMonth(house.database, { month: '2026-06' })
    // Both months were closed in July: in May's close the first subscription had already ended.
    const [june, ...others] = await billsOf(subscription.accountId)
    expect(others.map((bill) => bill.kind)).toEqual(['sign-up', 'sign-up'])
    expect(june?.lines).toMatchObject(
      [
        { subscriptionId: subscription.subscriptionId, kind: 'usage', amount: 100n },
        { subscriptionId: again.subscriptionId, kind: 'monthly', amount: 1000n, month: '2026-07' },
      ].toSorted((x, y) => (x.subscriptionId < y.subscriptionId ? -1 : 1)),
    )
  })

  it('cuts usage at price and rate card changes, and names both versions', async () => {
    const product = await at(house, '2026-06-01', async (tx) => {
      await writeRateCard(tx, { version: 1, rates: { 'm1.small': '0.1' } })
      await writeRateCard(tx, { version: 2, effectiveAt: new Date('2026-06-20'), rates: { 'm1.small': '0.3' } })
      const written = await writeProduct(tx, { rates: { 'm1.small': '1' } })
      await writePrice(tx, written, { version: 2, effectiveAt: new Date('2026-06-10'), rates: { 'm1.small': '2' } })
      return written
    })
    const subscription = await at(house, '2026-06-01', (tx) => signUp(tx, product))
    await at(house, '2026-06-01', (tx) =>
      writeRun(tx, subscription, { instanceType: 'm1.small', startedAt: new Date('2026-06-01T00:00:00Z') }),
    )
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    const [bill] = await billsOf(subscription.accountId)
    expect(bill?.lines.map((l) => [l.priceVersion, l.rateCardVersion, l.quantity, l.amount, l.cost])).toEqual([
      [1, 1, 216n, 21600n, 2160n],
      [2, 1, 240n, 48000n, 2400n],
      [2, 2, 264n, 52800n, 7920n],
    ])
  })

  it('bills use the price does not name with 0 and its cost; the bill is paid at once', async () => {
    const subscription = await at(house, '2026-06-01', async (tx) => {
      await writeRateCard(tx, { rates: { 'm1.small': '0.1' } })
      const made = await signUp(tx, await writeProduct(tx, {}))
      await writeRun(tx, made, { instanceType: 'm1.small', startedAt: tx.now, endedAt: tx.now })
      return made
    })
    expect(subscription.bill).toBeUndefined()
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    expect(await billsOf(subscription.accountId)).toMatchObject([
      { total: 0n, amountDue: 0n, state: 'paid', attemptDueAt: null, lines: [{ rateNano: 0n, amount: 0n, cost: 10n }] },
    ])
    expect(await rowsOf('transfer')).toEqual([])
    expect(await rowsOf('settlement_due')).toHaveLength(1)
  })

  it('makes one bill per currency', async () => {
    const subscription = await at(house, '2026-06-01', async (tx) => {
      const dollars = await signUp(tx, await writeProduct(tx, { monthly: '10' }))
      await signUp(tx, await writeProduct(tx, { monthly: '7', currency: 'EUR' }), dollars)
      return dollars
    })
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    const monthly = (await billsOf(subscription.accountId)).filter((bill) => bill.kind === 'monthly')
    expect(monthly.map((bill) => `${bill.currency} ${bill.total}`).toSorted()).toEqual(['EUR 700', 'USD 1000'])
  })

  it('carries bills below the minimum into the first one that reaches it', async () => {
    const subscription = await at(house, '2026-06-01', async (tx) => {
      const made = await signUp(tx, await writeProduct(tx, { oneTime: '0.20', rates: { 'm1.small': '0.15' } }))
      for (const month of [6, 7, 8]) {
        const startedAt = new Date(Date.UTC(2026, month - 1, 10))
        await writeRun(tx, made, { instanceType: 'm1.small', startedAt, endedAt: startedAt })
      }
      return made
    })
    expect(subscription.bill).toMatchObject({ state: 'carried', total: 20n })
    for (const month of ['2026-06', '2026-07', '2026-08'] as const) {
      await house.setClock(new Date('2026-09-01T00:00:00Z'))
      await closeMonth(house.database, { month })
    }
    const bills = await billsOf(subscription.accountId)
    const open = bills.find((bill) => bill.state === 'open')
    const told = bills.map((bill) => `${bill.month} ${bill.kind} ${bill.total} of ${bill.amountDue} ${bill.state}`)
    expect(told.toSorted()).toEqual([
      '2026-06 monthly 15 of 15 carried',
      '2026-06 sign-up 20 of 20 carried',
      '2026-07 monthly 15 of 50 open',
      '2026-08 monthly 15 of 15 carried',
    ])
    expect(open?.carried.map((bill) => `${bill.total}`).toSorted()).toEqual(['15', '20'])
  })

  it('charges a subscription that was still being vetted at the month’s end once it is active, each month once', async () => {
    const product = await at(house, '2026-06-30T23:00:00Z', (tx) => writeProduct(tx, { monthly: '30' }))
    const subscription = await at(house, '2026-06-30T23:00:00Z', (tx) => signUp(tx, product, { state: 'pending' }))
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    expect((await billsOf(subscription.accountId)).map((bill) => bill.kind)).toEqual(['sign-up'])
    await at(house, '2026-07-01T00:30:00Z', (tx) =>
      tx.run(sql`update subscription set state = 'active', activated_at = ${tx.now}`),
    )
    for (const month of ['2026-07', '2026-08'] as const) {
      await house.setClock(new Date('2026-09-01T00:00:00Z'))
      await closeMonth(house.database, { month })
    }
    const charged = (await billsOf(subscription.accountId)).flatMap((bill) =>
      bill.lines.map((line) => `on ${bill.month} for ${line.month}: ${line.amount}`),
    )
    expect(charged.toSorted()).toEqual([
      'on 2026-06 for 2026-06: 100',
      'on 2026-07 for 2026-07: 3000',
      'on 2026-07 for 2026-08: 3000',
      'on 2026-08 for 2026-09: 3000',
    ])
  })

  it('goes on billing instances that were left running after their subscription ended', async () => {
    const subscription = await at(house, '2026-05-20', async (tx) => {
      const made = await signUp(tx, await writeProduct(tx, { rates: { 'm1.small': '1' } }))
      await writeRun(tx, made, { instanceType: 'm1.small', startedAt: new Date('2026-05-20T00:00:00Z') })
      return made
    })
    await at(house, '2026-05-21', (tx) => cancel(tx, subscription))
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-05' })
    await closeMonth(house.database, { month: '2026-06' })
    const totals = (await billsOf(subscription.accountId)).map((bill) => `${bill.month} ${bill.total}`)
    expect(totals.toSorted()).toEqual(['2026-05 28800', '2026-06 72000'])
  })
})

describe('an account that fails', () => {
  it('is parked with its reason, the others go on, and a person can release it', async () => {
    const [good, broken] = await at(house, '2026-06-01', async (tx) => {
      await writeRateCard(tx, { rates: { 'm1.small': '0.1' } })
      const euros = await signUp(tx, await writeProduct(tx, { currency: 'EUR', monthly: '5' }))
      await writeRun(tx, euros, { instanceType: 'm1.small', startedAt: tx.now, endedAt: tx.now })
      return [await signUp(tx, await writeProduct(tx, { monthly: '5' })), euros]
    })
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    const reports: CloseProgress[] = []
    const closed = await closeMonth(house.database, { month: '2026-06', report: (progress) => reports.push(progress) })
    expect(closed).toEqual({ month: '2026-06', done: 1, total: 2, parked: 1, finished: true })
    expect(reports.at(-1)).toMatchObject({ done: 1, parked: 1, total: 2 })
    expect(await billsOf(good.accountId)).toHaveLength(2)
    expect(await billsOf(broken.accountId)).toHaveLength(1)
    const [parked] = await house.database.read((tx) => listParked(tx, { month: '2026-06' }))
    expect(parked).toMatchObject({ accountId: broken.accountId, month: '2026-06' })
    expect(parked?.reason).toContain('priced in EUR')

    expect(await releaseParked(house.database, { month: '2026-06', ...broken })).toMatchObject({ parked: 1 })
    await house.pool.query(`update rate_card set currency = 'EUR'`)
    expect(await releaseParked(house.database, { month: '2026-06', ...broken })).toMatchObject({ done: 2, parked: 0 })
    expect(await billsOf(broken.accountId)).toHaveLength(2)
    await expect(releaseParked(house.database, { month: '2026-06', ...broken })).rejects.toThrow('is not parked')
  })

  it('is parked when its bill looks absurd, until a person lets it pass', async () => {
    const subscription = await at(house, '2026-06-01', async (tx) => {
      const made = await signUp(tx, await writeProduct(tx, { rates: { 'm1.small': '1000001' } }))
      await writeRun(tx, made, { instanceType: 'm1.small', startedAt: tx.now, endedAt: tx.now })
      return made
    })
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    expect(await closeMonth(house.database, { month: '2026-06' })).toMatchObject({ parked: 1, finished: true })
    const [parked] = await house.database.read((tx) => listParked(tx))
    expect(parked?.reason).toContain('$1,000,001.00')
    await releaseParked(house.database, { month: '2026-06', ...subscription })
    expect(await billsOf(subscription.accountId)).toMatchObject([{ total: 100000100n, state: 'open' }])
  })
})

describe('monthCloseDue', () => {
  it('is due at the end of each month in turn, and closes what is overdue in order', async () => {
    const due = monthCloseDue(house.database)
    expect(await due.next()).toBeUndefined()
    const { accountId } = await at(house, '2026-04-10', async (tx) =>
      signUp(tx, await writeProduct(tx, { monthly: '10' })),
    )
    expect(await due.next()).toEqual(new Date('2026-05-01T00:00:00Z'))
    await house.setClock(new Date('2026-07-02T00:00:00Z'))
    await due.run()
    expect(await due.next()).toEqual(new Date('2026-08-01T00:00:00Z'))
    expect((await billsOf(accountId)).map((bill) => bill.month).toSorted()).toEqual([
      '2026-04',
      '2026-04',
      '2026-05',
      '2026-06',
    ])
  })
})
