/** Whatever happens, in whatever order, the books are proven at the end of it. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  at,
  collect,
  signUp,
  writeAccount,
  writePrice,
  writeProduct,
  writeRateCard,
  writeRun,
  type TestProduct,
  type TestSubscription,
} from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Fault } from '../base/fault.ts'
import { addMs, hourMs } from '../base/time.ts'
import { sql, type Transaction } from '../database/database.ts'
import { listInvoices } from '../invoices/find-invoice.ts'
import { monthCloseDue } from '../invoices/month-close-due.ts'
import { cancelSubscription } from '../orders/cancel-subscription.ts'
import type { Processor } from '../payments/processor.ts'
import { payoutDue, sendPayout, listPayouts } from '../settlement/pay-out.ts'
import { settlementDue } from '../settlement/settle.ts'
import { prove } from './prove.ts'

const event = fc.record({
  /** Hours that pass before it. */
  after: fc.integer({ min: 0, max: 200 }),
  what: fc.constantFrom(
    'sign-up',
    'sign-up',
    'run',
    'run',
    'run',
    'stop',
    'cancel',
    'collect',
    'collect',
    'decline',
    'price',
    'pay out',
  ),
  who: fc.nat(2),
  which: fc.nat(2),
  minutes: fc.nat(60 * 24 * 5),
})
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

interface World {
  readonly house: TestDatabase
  readonly products: readonly TestProduct[]
  readonly buyers: readonly string[]
  readonly live: Map<string, TestSubscription>
  prices: number
}

async function begin(house: TestDatabase): Promise<World> {
  return await at(house, '2026-01-15', async (tx) => {
    await writeRateCard(tx, { rates: { 'm1.small': '0.085', 'm1.large': '0.34' } })
    const products = [
      await writeProduct(tx, { oneTime: '9.99', monthly: '20', rates: { 'm1.small': '0.2', 'm1.large': '0.5' } }),
      await writeProduct(tx, { monthly: '0.11', rates: { 'm1.small': '0.0011' } }),
      await writeProduct(tx, { rates: { 'm1.large': '0.3333' } }),
    ]
    const buyers = [await writeAccount(tx), await writeAccount(tx), await writeAccount(tx)]
    return { house, products, buyers, live: new Map(), prices: 1 }
  })
}

async function happen(world: World, tx: Transaction, { what, who, which, minutes }: Event): Promise<void> {
  const [product, accountId] = [world.products[which], world.buyers[who]]
  if (product === undefined || accountId === undefined) throw new Error('there is one')
  const key = `${who} ${which}`
  const subscription = world.live.get(key)
  if (what === 'sign-up') {
    if (subscription === undefined) world.live.set(key, await signUp(tx, product, { accountId }))
  } else if (what === 'run') {
    if (subscription === undefined) return
    // As if it had ended just now, or goes on.
    const startedAt = tx.now
    const endedAt = minutes % 3 === 0 ? undefined : startedAt
    await writeRun(tx, subscription, { instanceType: minutes % 2 === 0 ? 'm1.small' : 'm1.large', startedAt, endedAt })
  } else if (what === 'stop') {
    await stopRuns(tx, accountId)
  } else if (what === 'cancel') {
    if (subscription === undefined) return
    await cancelSubscription(tx, { accountId, subscriptionId: subscription.subscriptionId, actor: accountId })
    world.live.delete(key)
  } else if (what === 'price') {
    world.prices += 1
    const price = { monthly: `${(minutes % 30) + 1}.37`, rates: { 'm1.small': '0.217', 'm1.large': '0.611' } }
    await writePrice(tx, product, { ...price, version: world.prices, effectiveAt: addMs(tx.now, 1) })
  } else if (what === 'collect' || what === 'decline') {
    for (const bill of await listInvoices(tx, { accountId })) {
      if (bill.state !== 'open' && bill.state !== 'unpaid') continue
      if (bill.kind === 'sign-up' && what === 'decline') continue
      await collect(tx, bill, what === 'collect' ? 'succeeded' : 'failed')
    }
  }
}

async function stopRuns(tx: Transaction, accountId: string): Promise<void> {
  await tx.run(sql`update instance_run set ended_at = ${tx.now} where account_id = ${accountId} and ended_at is null`)
  await tx.run(sql`update instance set state = 'terminated' where account_id = ${accountId} and state = 'running'`)
}

/** Subscriptions that ended by themselves, for non-payment, are no longer live. */
async function forgetEnded(world: World): Promise<void> {
  const { rows } = await world.house.pool.query<{ id: string }>(
    `select subscription_id as id from subscription where state = 'active'`,
  )
  const active = new Set(rows.map((row) => row.id))
  for (const [key, { subscriptionId }] of world.live) if (!active.has(subscriptionId)) world.live.delete(key)
}

async function payOut(world: World, refuse: boolean): Promise<void> {
  const answer = refuse
    ? (): Promise<never> => Promise.reject(new Fault('PaymentRefused', 'Refused.'))
    : (): Promise<{ transferId: string }> => Promise.resolve({ transferId: 'tr_1' })
  const processor = {
    createSellerAccount: ({ sellerAccountId }: { sellerAccountId: string }) =>
      Promise.resolve({ processorAccountId: `acct_${sellerAccountId}` }),
    transferToSeller: answer,
  } as unknown as Processor
  for (const { sellerAccountId } of world.products) {
    for (const payout of await world.house.database.read((tx) => listPayouts(tx, { sellerAccountId }))) {
      await sendPayout(world.house.database, processor, payout)
    }
  }
}

it('any history of sign-ups, use, price changes, payments, refunds, debts and payouts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 20, maxLength: 60, size: 'max' }), async (events) => {
      const house = await testDatabase()
      try {
        const world = await begin(house)
        const due = [monthCloseDue(house.database), settlementDue(house.database), payoutDue(house.database)]
        let now = new Date('2026-01-15T00:00:00Z')
        for (const each of events) {
          now = addMs(now, each.after * hourMs + each.minutes * 7)
          await house.setClock(now)
          for (const work of due) if (((await work.next()) ?? now) < now) await work.run()
          if (each.what === 'pay out') await payOut(world, each.minutes % 4 === 0)
          else await house.database.transaction((tx) => happen(world, tx, each))
          await forgetEnded(world)
        }
        const { checks } = await prove(house.database)
        expect(checks.filter((check) => !check.ok)).toEqual([])
      } finally {
        await house.close()
      }
    }),
    { numRuns: Number(process.env['HISTORIES'] ?? 8), endOnFailure: true },
  )
}, 120_000)
