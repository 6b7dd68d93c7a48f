import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  at,
  cancel,
  collect,
  collectAll,
  signUp,
  writePrice,
  writeProduct,
  writeRateCard,
  writeRun,
} from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Fault } from '../base/fault.ts'
import { hourMs } from '../base/time.ts'
import { closeMonth } from '../invoices/close-month.ts'
import { listInvoices } from '../invoices/find-invoice.ts'
import { voidInvoice } from '../invoices/void-invoice.ts'
import type { Processor } from '../payments/processor.ts'
import { startRefund } from '../payments/start-refund.ts'
import { sendPayout, startPayouts } from '../settlement/pay-out.ts'
import { settlementDue } from '../settlement/settle.ts'
import { prove, proveIn, type Proof } from './prove.ts'

let house: TestDatabase

beforeAll(async () => {
  house = await testDatabase()
  await liveTwoMonths()
})
afterAll(() => house.close())

/** Refuses every seller's first payout. */
const pickyProcessor: Pick<Processor, 'createSellerAccount' | 'transferToSeller'> = {
  createSellerAccount: ({ sellerAccountId }) => Promise.resolve({ processorAccountId: `acct_${sellerAccountId}` }),
  transferToSeller: ({ idempotencyKey }) =>
    idempotencyKey.endsWith('/1')
      ? Promise.reject(new Fault('PaymentRefused', 'Refused.'))
      : Promise.resolve({ transferId: `tr_${idempotencyKey}` }),
}

/** Some of everything that happens: use, price changes, refunds, debts, carried and void bills, losses, payouts. */
async function liveTwoMonths(): Promise<void> {
  const prices = { 'm1.small': '0.20', 'm1.large': '0.50' }
  const [image, tool, loss] = await at(house, '2026-05-01', async (tx) => {
    await writeRateCard(tx, { rates: { 'm1.small': '0.10', 'm1.large': '0.40' } })
    const first = await writeProduct(tx, { oneTime: '5', monthly: '20', rates: prices })
    await writePrice(tx, first, { version: 2, effectiveAt: new Date('2026-05-20'), monthly: '25', rates: prices })
    return [
      first,
      await writeProduct(tx, { monthly: '0.30', rates: { 'm1.small': '0.01' } }),
      await writeProduct(tx, { oneTime: '3', rates: { 'm1.large': '0.05' } }),
    ]
  })
  const a = await at(house, '2026-05-03T08:00:00Z', (tx) => signUp(tx, image))
  const b = await at(house, '2026-05-04T09:30:00Z', (tx) => signUp(tx, tool))
  const c = await at(house, '2026-05-05T10:00:00Z', (tx) => signUp(tx, loss))
  const debtor = await at(house, '2026-05-06', (tx) => signUp(tx, image))
  const refused = await at(house, '2026-05-07', (tx) => signUp(tx, image, { state: 'pending' }))
  await at(house, '2026-05-07T01:00:00Z', async (tx) => {
    const { accountId, subscriptionId } = refused
    await voidInvoice(tx, { accountId, invoiceId: refused.bill?.invoiceId ?? '' })
    await tx.client.query(
      `update subscription set state = 'failed', end_reason = 'payment-refused', ended_at = $1 where subscription_id = $2`,
      [tx.now, subscriptionId],
    )
  })
  await at(house, '2026-05-31', async (tx) => {
    for (const { accountId } of [a, c, debtor]) await collectAll(tx, accountId)
    const hours = (from: string, count: number): { startedAt: Date; endedAt: Date } => {
      const startedAt = new Date(from)
      return { startedAt, endedAt: new Date(startedAt.getTime() + count * hourMs) }
    }
    await writeRun(tx, a, { instanceType: 'm1.large', ...hours('2026-05-19T20:30:00Z', 9) })
    await writeRun(tx, a, { instanceType: 'm1.small', startedAt: new Date('2026-05-30T12:00:00Z') })
    await writeRun(tx, b, { instanceType: 'm1.small', ...hours('2026-05-10T00:00:00Z', 7) })
    await writeRun(tx, c, { instanceType: 'm1.large', ...hours('2026-05-10T00:00:00Z', 30) })
    await writeRun(tx, debtor, { instanceType: 'm1.large', ...hours('2026-05-10T00:00:00Z', 3) })
  })
  await settlementDue(house.database).run()
  await close('2026-05', '2026-06-01T00:00:00Z')
  await at(house, '2026-06-01T01:00:00Z', async (tx) => {
    await collectAll(tx, a.accountId)
    for (const bill of await listInvoices(tx, { accountId: debtor.accountId })) {
      if (bill.state === 'open') await collect(tx, bill, 'failed')
    }
  })
  await at(house, '2026-06-10', async (tx) => {
    await cancel(tx, a)
    const [charged] = await listInvoices(tx, { accountId: a.accountId, month: '2026-05' })
    const invoiceId = charged?.invoiceId ?? ''
    await startRefund(tx, { ...a, ...image, invoiceId, month: '2026-06', reason: 'cancellation', amount: 1000n })
  })
  await close('2026-06', '2026-07-01T00:00:00Z')
  for (const { accountId } of [b, c]) await at(house, '2026-07-01T01:00:00Z', (tx) => collectAll(tx, accountId))
  await house.setClock(new Date('2026-07-02T00:00:00Z'))
  await settlementDue(house.database).run()
  for (const state of ['refused', 'paid', 'nothing left']) {
    const payouts = await startPayouts(house.database)
    expect(payouts.length > 0, state).toBe(state !== 'nothing left')
    for (const payout of payouts) await sendPayout(house.database, pickyProcessor as Processor, payout)
  }
}

async function close(month: '2026-05' | '2026-06', instant: string): Promise<void> {
  await house.setClock(new Date(instant))
  await closeMonth(house.database, { month })
}

/** What the proof says of the books after they were tampered with; the tampering is undone. */
async function proofAfter(...statements: readonly string[]): Promise<Proof> {
  let proof: Proof | undefined
  const undo = new Error('undo')
  const tampered = house.database.transaction(async (tx) => {
    for (const statement of statements) {
      const { rowCount, command } = await tx.client.query(statement)
      if (command !== 'DROP' && command !== 'ALTER') expect(rowCount, statement).toBeGreaterThan(0)
    }
    proof = await proveIn(tx)
    throw undo
  })
  await expect(tampered).rejects.toBe(undo)
  expect(proof).toBeDefined()
  return proof as Proof
}

const anyOf = (table: string, condition = 'true'): string =>
  `ctid = (select ctid from ${table} where ${condition} order by ctid limit 1)`

describe('prove', () => {
  it('finds nothing wrong with books in which some of everything happened', async () => {
    const { ok, checks } = await prove(house.database)
    expect(checks.filter((check) => !check.ok)).toEqual([])
    expect(ok).toBe(true)
    expect(checks.length).toBeGreaterThanOrEqual(25)
  })

  it('was asked of books that hold what the invariants are about', async () => {
    const kinds = await house.pool.query<{ kind: string }>('select distinct kind from transfer order by kind')
    expect(kinds.rows.map((row) => row.kind)).toEqual([
      'billed',
      'billed-reversed',
      'cloud-cost',
      'deposited',
      'paid',
      'payout',
      'payout-reversed',
      'percentage-fee',
      'refunded',
      'transaction-fee',
    ])
    const states = await house.pool.query<{ state: string }>('select distinct state from invoice order by state')
    expect(states.rows.map((row) => row.state)).toEqual(['carried', 'open', 'paid', 'void'])
  })

  const transferOf = (kind: string): string => anyOf('transfer', `kind = '${kind}'`)
  /** Each invariant, with what breaks it. */
  const tamperings: [name: string, ...statements: string[]][] = [
    [
      'hours-in-one-line',
      `update invoice_line set quantity = quantity + 1 where ${anyOf('invoice_line', `kind = 'usage'`)}`,
    ],
    [
      'hours-in-one-line',
      `update instance_run set ended_at = ended_at + interval '1 hour' where ${anyOf('instance_run', 'ended_at is not null')}`,
    ],
    ['hours-in-one-line', `delete from invoice_line where ${anyOf('invoice_line', `kind = 'usage'`)}`],
    ['re-rating', `update invoice_line set cost = cost + 1 where ${anyOf('invoice_line', `kind = 'usage'`)}`],
    ['re-rating', `update invoice_line set rate_nano = rate_nano + 1 where ${anyOf('invoice_line', `kind = 'usage'`)}`],
    [
      'runs-subscribed',
      `update instance_run set started_at = '2026-05-01', ended_at = '2026-05-02' where ${anyOf('instance_run')}`,
    ],
    ['runs-subscribed', `update instance_run set subscription_id = gen_random_uuid() where ${anyOf('instance_run')}`],
    [
      'runs-apart',
      `insert into instance_run select account_id, instance_id, 2, product_code, null, region, environment, instance_type, started_at, started_at from instance_run where ${anyOf('instance_run')}`,
    ],
    ['open-runs', `update instance set state = 'stopped' where ${anyOf('instance', `state = 'running'`)}`],
    ['open-runs', `update instance set state = 'running' where ${anyOf('instance', `state = 'terminated'`)}`],
    [
      'one-live-subscription',
      'drop index subscription_live',
      `insert into subscription (account_id, subscription_id, product_code, seller_account_id, state, created_at)
       select account_id, gen_random_uuid(), product_code, seller_account_id, 'pending', now() from subscription where state = 'active' limit 1`,
    ],
    ['lines-booked', `update transfer set amount = amount + 1 where ${transferOf('billed')}`],
    ['lines-booked', `delete from transfer where ${transferOf('billed')}`],
    ['lines-booked', `update transfer set reference = reference || '0' where ${transferOf('billed')}`],
    ['invoice-totals', `update invoice set total = total - 1 where ${anyOf('invoice', 'total > 0')}`],
    ['invoice-totals', `update invoice set amount_due = amount_due + 1 where ${anyOf('invoice')}`],
    [
      'bills-carried',
      `update invoice set carried_into = gen_random_uuid() where ${anyOf('invoice', `state = 'carried'`)}`,
    ],
    [
      'bills-carried',
      `update invoice set state = 'carried' where ${anyOf('invoice', `state = 'paid' and carried_into is not null`)}`,
    ],
    ['voids-reversed', `delete from transfer where ${transferOf('billed-reversed')}`],
    ['voids-reversed', `update invoice set state = 'open' where state = 'void'`],
    ['receivables', `update transfer set amount = amount + 1 where ${transferOf('paid')}`],
    ['receivables', `delete from transfer where ${transferOf('refunded')}`],
    [
      'charges-at-price',
      `update invoice_line set amount = amount + 1 where ${anyOf('invoice_line', `kind = 'one-time'`)}`,
    ],
    [
      'charges-at-price',
      `update invoice_line set amount = amount - 1 where ${anyOf('invoice_line', `kind = 'monthly'`)}`,
    ],
    ['charges-at-price', `update price_version set effective_at = '2026-06-20' where version = 2`],
    [
      'months-billed-once',
      'drop index invoice_line_charge',
      `insert into invoice_line (account_id, invoice_id, line_number, subscription_id, product_code, seller_account_id, kind, month, period_start, period_end, quantity, price_version, amount)
       select account_id, invoice_id, 99, subscription_id, product_code, seller_account_id, kind, month, period_start, period_end, quantity, price_version, amount from invoice_line where kind = 'monthly' limit 1`,
    ],
    [
      'months-billed-once',
      `update invoice_line set period_end = period_end + interval '1 day' where kind = 'usage' and price_version = 1`,
    ],
    ['months-billed-once', `delete from account_month where ${anyOf('account_month')}`],
    [
      'subscribers-charged',
      `delete from invoice_line where ${anyOf('invoice_line', `kind = 'monthly' and month = '2026-06'`)}`,
    ],
    [
      'subscribers-charged',
      `update subscription set state = 'cancelled', end_reason = 'cancelled-by-buyer', ended_at = '2026-05-30' where state = 'active'`,
    ],
    ['closes-complete', `update month_close_claim set done = false where ${anyOf('month_close_claim')}`],
    ['payments-booked', `update transfer set amount = amount - 1 where ${transferOf('paid')}`],
    ['payments-booked', `delete from transfer where ${transferOf('paid')}`],
    [
      'payments-booked',
      `update payment_attempt set state = 'failed' where ${anyOf('payment_attempt', `state = 'succeeded'`)}`,
    ],
    [
      'one-capture',
      'drop index payment_attempt_capture',
      `insert into payment_attempt (account_id, invoice_id, attempt_number, state, amount, currency, payment_method_id, started_at, settled_at)
       select account_id, invoice_id, 99, state, amount, currency, payment_method_id, started_at, settled_at from payment_attempt where state = 'succeeded' limit 1`,
    ],
    ['one-capture', `update invoice set state = 'open' where ${anyOf('invoice', `state = 'paid' and amount_due > 0`)}`],
    [
      'one-capture',
      `update invoice set state = 'paid', paid_at = now(), attempt_due_at = null where ${anyOf('invoice', `state = 'open'`)}`,
    ],
    ['deposits', `delete from transfer where ${transferOf('deposited')}`],
    ['deposits', `update transfer set seller_account_id = '999999999999' where ${transferOf('deposited')}`],
    ['transaction-fees', `delete from transfer where ${transferOf('transaction-fee')}`],
    ['transaction-fees', `update transfer set reference = reference || 'X' where ${transferOf('transaction-fee')}`],
    ['refunds-booked', `update transfer set amount = amount + 1 where ${transferOf('refunded')}`],
    ['refunds-booked', `update refund set state = 'succeeded', settled_at = now()`],
    ['refunds-within-captures', `update refund set amount = 10000000`],
    ['ledger-sides', `update transfer set debit = 'processor' where ${transferOf('deposited')}`],
    ['expected-revenue', `update transfer set amount = amount + 1 where ${transferOf('billed')}`],
    [
      'expected-revenue',
      `update invoice set state = 'void', attempt_due_at = null where ${anyOf('invoice', `state = 'open'`)}`,
    ],
    ['seller-balances', `delete from transfer where ${transferOf('deposited')}`],
    ['seller-balances', `delete from transfer where ${transferOf('payout')}`],
    ['seller-balances', `update settlement_step set cost_charged = cost_charged + 1 where ${anyOf('settlement_step')}`],
    [
      'settlement-formulas',
      `update settlement_step set fee_charged = fee_charged + 1 where ${anyOf('settlement_step')}`,
    ],
    [
      'settlement-formulas',
      `update settlement_step set cost_charged = cost_charged - 1 where ${anyOf('settlement_step')}`,
    ],
    ['settlement-formulas', `update settlement_step set step = step + 7 where ${anyOf('settlement_step')}`],
    ['settlement-booked', `update transfer set amount = amount + 1 where ${transferOf('cloud-cost')}`],
    ['settlement-booked', `delete from transfer where ${transferOf('percentage-fee')}`],
    ['settlement-booked', `update transfer set reference = reference || '0' where ${transferOf('percentage-fee')}`],
    ['settlement-current', `delete from settlement_step where month = '2026-05'`],
    ['settlement-current', `update invoice_line set cost = cost + 100 where kind = 'usage'`],
    ['payouts-booked', `delete from transfer where ${transferOf('payout')}`],
    ['payouts-booked', `delete from transfer where ${transferOf('payout-reversed')}`],
    ['payouts-booked', `update payout set amount = amount + 1 where ${anyOf('payout')}`],
  ]

  it.each(tamperings)('%s is broken by: %s', async (name, ...statements) => {
    const proof = await proofAfter(...statements)
    expect(proof.ok).toBe(false)
    const check = proof.checks.find((result) => result.name === name)
    expect(check?.ok).toBe(false)
    expect(check?.count).toBeGreaterThan(0)
    expect(check?.violations.length).toBe(Math.min(check?.count ?? 0, 5))
  })

  it('can be broken at every invariant: each is among the tamperings', async () => {
    const { checks } = await prove(house.database)
    const tried = new Set(tamperings.map(([name]) => name))
    expect(checks.map((check) => check.name).filter((name) => !tried.has(name))).toEqual([])
  })
})
