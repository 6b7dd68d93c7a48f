import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { at, cancel, collect, collectAll, signUp, writeProduct, writeRateCard, writeRun } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { closeMonth } from '../invoices/close-month.ts'
import { findInvoice, listInvoices } from '../invoices/find-invoice.ts'
import type { SettlementSubject } from '../ledger/plan-settlement.ts'
import { sellerBalance } from '../ledger/sum-balance.ts'
import { startRefund } from '../payments/start-refund.ts'
import { sellerActivity, sellerTransactions } from './seller-figures.ts'
import { settle, settlementDue } from './settle.ts'
import { selectSteps, type StepRow } from './store.ts'

let house: TestDatabase
beforeEach(async () => {
  house = await testDatabase()
})
afterEach(() => house.close())

async function balanceOf({ sellerAccountId }: { sellerAccountId: string }): Promise<bigint> {
  return await house.database.read((tx) => sellerBalance(tx, { sellerAccountId, currency: 'USD' }))
}

async function settleAt(instant: string): Promise<void> {
  await house.setClock(new Date(instant))
  await settlementDue(house.database).run()
}

async function stepsOf(subject: SettlementSubject): Promise<StepRow[]> {
  return await house.database.read((tx) => selectSteps(tx, subject))
}

/** A product at $20.00 a month and $0.50 an hour that costs the seller $0.34, and a buyer of it with 3 hours in June. */
async function juneBuyer(hours = 3): Promise<Awaited<ReturnType<typeof signUp>>> {
  return await at(house, '2026-06-03', async (tx) => {
    await writeRateCard(tx, { rates: { 'm1.large': '0.34' } })
    const made = await signUp(tx, await writeProduct(tx, { monthly: '20', rates: { 'm1.large': '0.50' } }))
    const startedAt = new Date('2026-06-10T00:00:00Z')
    const endedAt = new Date(startedAt.getTime() + hours * 3_600_000)
    await writeRun(tx, made, { instanceType: 'm1.large', startedAt, endedAt })
    return made
  })
}

describe('settlement', () => {
  it('charges the percentage the day after the sign-up, and cost and the rest once the use is paid', async () => {
    const { accountId, product } = await juneBuyer()
    await at(house, '2026-06-03T12:00:00Z', (tx) => collectAll(tx, accountId))
    expect(await balanceOf(product)).toBe(1867n - 30n)
    const due = settlementDue(house.database)
    expect(await due.next()).toEqual(new Date('2026-06-04T00:00:00Z'))
    await settleAt('2026-06-03T23:59:59Z')
    expect(await balanceOf(product)).toBe(1867n - 30n)
    await settleAt('2026-06-04T00:00:00Z')
    expect(await balanceOf(product)).toBe(1867n - 30n - 56n)
    expect(await due.next()).toBeUndefined()

    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    // Cost of 1.02 is known and 18.67 of 20.17 is collected: the cost is recovered in full, the fee is less by its 3 %.
    await settleAt('2026-07-02T00:00:00Z')
    expect(await balanceOf(product)).toBe(1867n - 30n - 102n - 53n)
    await at(house, '2026-07-02T10:00:00Z', (tx) => collectAll(tx, accountId))
    await settleAt('2026-07-03T00:00:00Z')
    const june = { accountId, productCode: product.productCode, month: '2026-06' } as const
    expect(await stepsOf(june)).toMatchObject([
      { step: 1, revenue: 1867n, cost: 0n, collected: 1867n, costCharged: 0n, feeCharged: 56n },
      { step: 2, revenue: 2017n, cost: 102n, collected: 1867n, costCharged: 102n, feeCharged: 53n },
      { step: 3, revenue: 2017n, cost: 102n, collected: 2017n, costCharged: 102n, feeCharged: 57n },
    ])
    const fees = 57n + 60n // June, and 3 % of July's charge
    expect(await balanceOf(product)).toBe(2017n + 2000n - 2n * 30n - 102n - fees)
  })

  it('charges a seller only C − R for a buyer who never pays', async () => {
    const { accountId, product } = await juneBuyer(100)
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    await settleAt('2026-07-02T00:00:00Z')
    // Revenue 18.67 + 50.00 covers the cost of 34.00: nothing is owed yet.
    expect(await balanceOf(product)).toBe(0n)
    const loss = await at(house, '2026-07-05', async (tx) => {
      const made = await signUp(tx, await writeProduct(tx, { rates: { 'm1.large': '0.10' } }), { accountId })
      await writeRun(tx, made, { instanceType: 'm1.large', startedAt: tx.now, endedAt: tx.now })
      return made
    })
    await house.setClock(new Date('2026-08-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-07' })
    await settleAt('2026-08-02T00:00:00Z')
    expect(await balanceOf(loss.product)).toBe(-(34n - 10n))
  })

  it('writes a step only when a figure changed, and one of two settlements at once', async () => {
    const { accountId, product } = await juneBuyer()
    await at(house, '2026-06-03', (tx) => collectAll(tx, accountId))
    const subject = { accountId, productCode: product.productCode, month: '2026-06' } as const
    expect(await house.database.transaction((tx) => settle(tx, subject))).toBe(true)
    expect(await house.database.transaction((tx) => settle(tx, subject))).toBe(false)
    expect(await stepsOf(subject)).toHaveLength(1)
    await house.pool.query(`insert into settlement_due values ($1, $2, '2026-06', '2026-06-03')`, [
      accountId,
      product.productCode,
    ])
    const due = settlementDue(house.database)
    await Promise.all([due.run(), due.run()])
    expect(await stepsOf(subject)).toHaveLength(1)
  })

  it('gives back the percentage on refunded money, and takes the cost that no revenue covers any more', async () => {
    const { accountId, subscriptionId, product, ...subscription } = await juneBuyer(50)
    await at(house, '2026-06-03', (tx) => collectAll(tx, accountId))
    await settleAt('2026-06-04T00:00:00Z')
    await at(house, '2026-06-12', async (tx) => {
      await cancel(tx, { accountId, subscriptionId, product, ...subscription })
      const invoiceId = subscription.bill?.invoiceId ?? ''
      const part = { accountId, subscriptionId, ...product, invoiceId, month: '2026-06' as const }
      await startRefund(tx, { ...part, reason: 'cancellation', amount: 1200n })
    })
    await settleAt('2026-06-13T00:00:00Z')
    const fee = 20n // 3 % of 6.67
    expect(await balanceOf(product)).toBe(1867n - 30n - 1200n - fee)
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    await settleAt('2026-07-02T00:00:00Z')
    // R = 6.67 + 25.00, C = 17.00, K = 6.67: cost only as far as paid, no value-add collected.
    expect(await balanceOf(product)).toBe(667n - 30n - 667n)
  })

  it('keeps the percentage a month began with when the operator changes it', async () => {
    const { accountId, product } = await juneBuyer()
    await at(house, '2026-06-03', (tx) => collectAll(tx, accountId))
    await settleAt('2026-06-04T00:00:00Z')
    await house.pool.query('update settlement_step set percentage_fee = 1000, fee_charged = 187')
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    await settleAt('2026-07-02T00:00:00Z')
    const [, second] = await stepsOf({ accountId, productCode: product.productCode, month: '2026-06' })
    expect(second).toMatchObject({ percentageFee: 1000n, feeCharged: 177n })
  })
})

describe('a bill carried into another', () => {
  it('is deposited when that one is paid, and bears no transaction fee of its own', async () => {
    const { accountId, product } = await at(house, '2026-06-03', async (tx) =>
      signUp(tx, await writeProduct(tx, { oneTime: '0.20', monthly: '0' })),
    )
    await at(house, '2026-06-04', async (tx) => {
      await signUp(tx, await writeProduct(tx, { monthly: '10', sellerAccountId: product.sellerAccountId }), {
        accountId,
      })
    })
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2026-06' })
    await at(house, '2026-07-01T01:00:00Z', (tx) => collectAll(tx, accountId))
    const bills = await house.database.read((tx) => listInvoices(tx, { accountId }))
    expect(bills.map((bill) => bill.state)).toEqual(['paid', 'paid', 'paid'])
    // 0.20 + 9.00 + 10.00 deposited; a fee for the sign-up's bill and one for each product on the monthly one.
    expect(await balanceOf(product)).toBe(1920n - 3n * 30n)
  })
})

describe('the seller’s figures', () => {
  it('show the June example as the month goes on, and after it is closed and paid', async () => {
    const product = await at(house, '2009-06-01', async (tx) => {
      await writeRateCard(tx, { rates: { 'm1.small': '0.10', 'm1.large': '0.40', 'm1.xlarge': '0.80' } })
      const rates = { 'm1.small': '0.20', 'm1.large': '0.50', 'm1.xlarge': '0.90' }
      return await writeProduct(tx, { monthly: '20.00', rates })
    })
    const buyers = []
    for (const day of ['03', '04', '05']) {
      buyers.push(await at(house, `2009-06-${day}`, (tx) => signUp(tx, product)))
    }
    const [a, b] = buyers as [(typeof buyers)[0], (typeof buyers)[0]]
    await at(house, '2009-06-14', async (tx) => {
      const run = async (of: typeof a, instanceType: string, hours: number): Promise<void> => {
        const startedAt = new Date('2009-06-10T00:00:00Z')
        await writeRun(tx, of, { instanceType, startedAt, endedAt: new Date(startedAt.getTime() + hours * 3_600_000) })
      }
      await run(a, 'm1.large', 3)
      await run(a, 'm1.xlarge', 5)
      await run(b, 'm1.small', 8)
      await collectAll(tx, a.accountId)
    })
    const seller = { sellerAccountId: product.sellerAccountId, month: '2009-06' as const }
    const { products } = await house.database.read((tx) => sellerActivity(tx, seller))
    const figures = {
      monthly: 5400n,
      usageRevenue: 760n,
      expectedRevenue: 6160n,
      actualRevenue: 1867n,
      cost: 600n,
      valueAdd: 5560n,
      transactions: 1,
      transactionFees: 30n,
    }
    expect(products).toMatchObject([figures])
    expect(products[0]?.usage.map((usage) => [usage.quantity, usage.amount, usage.cost])).toEqual([
      [3n, 150n, 120n],
      [8n, 160n, 80n],
      [5n, 450n, 400n],
    ])

    await house.setClock(new Date('2009-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2009-06' })
    const closed = await house.database.read((tx) => sellerActivity(tx, seller))
    expect(closed.products).toMatchObject([figures])
    for (const buyer of buyers) await at(house, '2009-07-01T02:00:00Z', (tx) => collectAll(tx, buyer.accountId))
    await settleAt('2009-07-02T00:00:00Z')
    const { totals } = await house.database.read((tx) => sellerActivity(tx, seller))
    // 3 % of 19.47, 18.80 and 17.33; two collected bills of each buyer.
    expect(totals).toMatchObject([
      { currency: 'USD', actualRevenue: 6160n, costCharged: 600n, percentageFees: 166n, transactionFees: 180n },
    ])

    const transactions = await house.database.read((tx) => sellerTransactions(tx, { ...seller, limit: 5 }))
    expect(transactions).toHaveLength(5)
    const last = transactions.at(-1)
    const rest = await house.database.read((tx) =>
      sellerTransactions(tx, { ...seller, ...(last === undefined ? {} : { before: last }) }),
    )
    const all = [...transactions, ...rest]
    expect(new Set(all.map((row) => row.transferId)).size).toBe(all.length)
    expect(all.reduce((sum, row) => sum + row.amount, 0n)).toBe(totals[0]?.net)
  })
})

describe('a failed charge', () => {
  it('bears no transaction fee and deposits nothing', async () => {
    const { accountId, product, bill } = await juneBuyer()
    await at(house, '2026-06-03', (tx) => collect(tx, { accountId, invoiceId: bill?.invoiceId ?? '' }, 'failed'))
    expect(await balanceOf(product)).toBe(0n)
    const found = await house.database.read((tx) => findInvoice(tx, { accountId, invoiceId: bill?.invoiceId ?? '' }))
    expect(found?.state).toBe('open')
  })
})
