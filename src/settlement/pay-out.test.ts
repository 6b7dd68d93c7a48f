import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { at, collectAll, signUp, writeProduct } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Fault } from '../base/fault.ts'
import { sellerBalance } from '../ledger/sum-balance.ts'
import type { Processor } from '../payments/processor.ts'
import { lastMonday, listPayouts, nextMonday, payoutDue, sendPayout, startPayouts } from './pay-out.ts'

let house: TestDatabase
beforeEach(async () => {
  house = await testDatabase()
})
afterEach(() => house.close())

type Sent = Parameters<Processor['transferToSeller']>[0]

/** A processor that only pays sellers, as told; whatever else is asked of it is a mistake of the test. */
function payingProcessor(answer: (request: Sent) => Promise<{ transferId: string }>): {
  processor: Processor
  sent: Sent[]
} {
  const sent: Sent[] = []
  const parts: Pick<Processor, 'createSellerAccount' | 'transferToSeller'> = {
    createSellerAccount: ({ sellerAccountId }) => Promise.resolve({ processorAccountId: `acct_${sellerAccountId}` }),
    transferToSeller: async (request) => {
      sent.push(request)
      return await answer(request)
    },
  }
  return { processor: parts as Processor, sent }
}

const accepting = (): ReturnType<typeof payingProcessor> =>
  payingProcessor((request) => Promise.resolve({ transferId: `tr_${request.idempotencyKey}` }))

/** A seller who is owed $9.70 on Wednesday, 3 June 2026. */
async function sellerWithBalance(verified = true): Promise<string> {
  return await at(house, '2026-06-03', async (tx) => {
    const { accountId, product } = await signUp(
      tx,
      await writeProduct(tx, { oneTime: '10', bankAccountVerified: verified }),
    )
    await collectAll(tx, accountId)
    return product.sellerAccountId
  })
}

async function balanceOf(sellerAccountId: string): Promise<bigint> {
  return await house.database.read((tx) => sellerBalance(tx, { sellerAccountId, currency: 'USD' }))
}

describe('payouts', () => {
  it('leave on Monday for the whole balance, once', async () => {
    const due = payoutDue(house.database)
    expect(await due.next()).toBeUndefined()
    const sellerAccountId = await sellerWithBalance()
    expect(await due.next()).toEqual(new Date('2026-06-08T00:00:00Z'))
    await house.setClock(new Date('2026-06-08T00:00:00Z'))
    await due.run()
    expect(await due.next()).toEqual(new Date('2026-06-15T00:00:00Z'))
    expect(await balanceOf(sellerAccountId)).toBe(0n)
    const { processor, sent } = accepting()
    await sendPayout(house.database, processor, { sellerAccountId, payoutNumber: 1 })
    await sendPayout(house.database, processor, { sellerAccountId, payoutNumber: 1 })
    expect(sent).toMatchObject([
      {
        processorAccountId: `acct_${sellerAccountId}`,
        amount: { minor: 970n, currency: 'USD' },
        idempotencyKey: `payout/${sellerAccountId}/1`,
      },
    ])
    expect(await house.database.read((tx) => listPayouts(tx, { sellerAccountId }))).toMatchObject([
      { payoutNumber: 1, state: 'paid', amount: 970n, processorTransferId: `tr_payout/${sellerAccountId}/1` },
    ])
  })

  it('make up for missed Mondays by one run', async () => {
    await sellerWithBalance()
    await house.setClock(new Date('2026-07-01T12:00:00Z'))
    const due = payoutDue(house.database)
    await due.run()
    expect(await due.next()).toEqual(new Date('2026-07-06T00:00:00Z'))
  })

  it('wait while the bank account is not verified or the balance is below the minimum', async () => {
    await sellerWithBalance(false)
    expect(await startPayouts(house.database)).toEqual([])
    const poor = await at(house, '2026-06-03', async (tx) => {
      const { accountId, product } = await signUp(tx, await writeProduct(tx, { oneTime: '1.29' }))
      await collectAll(tx, accountId)
      return product.sellerAccountId
    })
    expect(await balanceOf(poor)).toBe(99n)
    expect(await startPayouts(house.database)).toEqual([])
  })

  it('start once when two runs race', async () => {
    const sellerAccountId = await sellerWithBalance()
    const started = await Promise.all([1, 2, 3].map(() => startPayouts(house.database)))
    expect(started.flat()).toMatchObject([{ sellerAccountId, payoutNumber: 1, amount: 970n }])
    expect(await balanceOf(sellerAccountId)).toBe(0n)
  })

  it('are reversed when the processor refuses, and tried again the next Monday under a new number', async () => {
    const sellerAccountId = await sellerWithBalance()
    await startPayouts(house.database)
    const refusing = payingProcessor(() => Promise.reject(new Fault('PaymentRefused', 'The account cannot be paid.')))
    await sendPayout(house.database, refusing.processor, { sellerAccountId, payoutNumber: 1 })
    expect(await balanceOf(sellerAccountId)).toBe(970n)
    const { rows } = await house.pool.query<{ subject: string }>(
      `select subject from mail where kind = 'payout-failed'`,
    )
    expect(rows).toEqual([{ subject: 'Your payout of $9.70 failed' }])
    await startPayouts(house.database)
    const { processor, sent } = accepting()
    await sendPayout(house.database, processor, { sellerAccountId, payoutNumber: 2 })
    expect(sent).toMatchObject([{ idempotencyKey: `payout/${sellerAccountId}/2` }])
    expect(await house.database.read((tx) => listPayouts(tx, { sellerAccountId }))).toMatchObject([
      { payoutNumber: 2, state: 'paid' },
      { payoutNumber: 1, state: 'failed', failureMessage: 'The account cannot be paid.' },
    ])
  })

  it('stay started when the answer was lost, and are asked for again under the same key', async () => {
    const sellerAccountId = await sellerWithBalance()
    await startPayouts(house.database)
    const lost = payingProcessor(() => Promise.reject(new Fault('ProcessorUnavailable', 'No answer.')))
    const of = { sellerAccountId, payoutNumber: 1 }
    await expect(sendPayout(house.database, lost.processor, of)).rejects.toThrow('No answer')
    const { processor, sent } = accepting()
    await sendPayout(house.database, processor, of)
    expect(sent[0]?.idempotencyKey).toBe(lost.sent[0]?.idempotencyKey)
    expect(await balanceOf(sellerAccountId)).toBe(0n)
  })
})

describe('Mondays', () => {
  it.each([
    ['2026-06-07T23:59:59Z', '2026-06-01', '2026-06-08'],
    ['2026-06-08T00:00:00Z', '2026-06-08', '2026-06-15'],
    ['2026-06-10T12:00:00Z', '2026-06-08', '2026-06-15'],
  ])('around %s', (instant, last, next) => {
    expect(lastMonday(new Date(instant))).toEqual(new Date(last))
    expect(nextMonday(new Date(instant))).toEqual(new Date(next))
  })
})
