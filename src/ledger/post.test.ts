import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { newAccountId, newUuid } from '../base/ids.ts'
import { sql } from '../database/database.ts'
import { post, type NewTransfer } from './post.ts'
import { receivable, sellerBalance, sellerBalances } from './sum-balance.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

const seller = '100000000001'

function billed(accountId: string, reference: string, amount: bigint): NewTransfer {
  return {
    accountId,
    kind: 'billed',
    reference,
    debit: 'receivable',
    credit: 'expected-revenue',
    amount,
    currency: 'USD',
    sellerAccountId: seller,
    productCode: '774F4FF8',
    month: '2026-06',
    invoiceId: '00000000-0000-4000-8000-000000000001',
  }
}

async function countOf(accountId: string): Promise<bigint> {
  const { rows } = await house.pool.query<{ count: bigint }>('select count(*) from transfer where account_id = $1', [
    accountId,
  ])
  return rows[0]?.count ?? -1n
}

describe('post', () => {
  it('books a fact once, however often it is posted', async () => {
    const accountId = newAccountId()
    const facts = [billed(accountId, 'a/1', 2000n), billed(accountId, 'a/2', 450n)]
    expect(await house.database.transaction((tx) => post(tx, facts))).toBe(2)
    expect(await house.database.transaction((tx) => post(tx, [...facts, billed(accountId, 'a/3', 1n)]))).toBe(1)
    expect(await countOf(accountId)).toBe(3n)
    expect(await house.database.read((tx) => receivable(tx, { accountId }))).toEqual([
      { currency: 'USD', minor: 2451n },
    ])
  })

  it('refuses every other figure under a reference already booked, and books nothing beside it', async () => {
    const accountId = newAccountId()
    const fact = billed(accountId, 'b/1', 2000n)
    await house.database.transaction((tx) => post(tx, [fact]))
    const others: Partial<NewTransfer>[] = [
      { amount: 2001n },
      { currency: 'EUR' },
      { sellerAccountId: '100000000002' },
      { productCode: '00000000' },
      { month: '2026-07' },
      { invoiceId: newUuid() },
    ]
    for (const other of others) {
      const repeat = house.database.transaction((tx) => post(tx, [billed(accountId, 'b/2', 5n), { ...fact, ...other }]))
      await expect(repeat).rejects.toThrow('is booked once')
    }
    expect(await countOf(accountId)).toBe(1n)
  })

  it('books once when two transactions post the same fact at the same time', async () => {
    const accountId = newAccountId()
    const once = (): Promise<number> => house.database.transaction((tx) => post(tx, [billed(accountId, 'c/1', 7n)]))
    const written = await Promise.all([once(), once(), once(), once()])
    expect(written.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 1])
  })

  it('refuses amounts that move nothing and accounts that are not the kind’s', async () => {
    const accountId = newAccountId()
    const attempt = (change: Partial<NewTransfer>): Promise<number> =>
      house.database.transaction((tx) => post(tx, [{ ...billed(accountId, 'd/1', 5n), ...change }]))
    await expect(attempt({ amount: 0n })).rejects.toThrow('moves a positive amount')
    await expect(attempt({ amount: -5n })).rejects.toThrow('moves a positive amount')
    await expect(attempt({ debit: 'expected-revenue', credit: 'receivable' })).rejects.toThrow('moves from receivable')
    await expect(attempt({ sellerAccountId: undefined })).rejects.toThrow('transfer')
    expect(await countOf(accountId)).toBe(0n)
  })

  it('keeps the books balanced over any facts, because every row debits what it credits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt(1n, 10n ** 12n), { minLength: 1, maxLength: 20 }), async (amounts) => {
        const accountId = newAccountId()
        const own = newAccountId()
        const facts = amounts.flatMap((amount, index): NewTransfer[] => [
          { ...billed(accountId, `e/${index}`, amount), sellerAccountId: own },
          {
            ...billed(accountId, `e/${index}`, amount),
            sellerAccountId: own,
            kind: 'deposited',
            debit: 'expected-revenue',
            credit: 'seller-balance',
          },
        ])
        await house.database.transaction((tx) => post(tx, facts))
        const total = amounts.reduce((sum, amount) => sum + amount, 0n)
        await house.database.read(async (tx) => {
          expect(await receivable(tx, { accountId })).toEqual([{ currency: 'USD', minor: total }])
          expect(await sellerBalance(tx, { sellerAccountId: own, currency: 'USD' })).toBe(total)
          expect(await sellerBalance(tx, { sellerAccountId: own, currency: 'EUR' })).toBe(0n)
          expect(await sellerBalances(tx, { sellerAccountId: own })).toEqual([{ currency: 'USD', minor: total }])
          const { sum } = await tx.one<{ sum: bigint }>(sql`
            select coalesce(sum(case when debit = 'expected-revenue' then amount else -amount end), 0)::bigint as sum
            from transfer where account_id = ${accountId} and 'expected-revenue' in (debit, credit)`)
          expect(sum).toBe(0n)
        })
      }),
      { numRuns: 20 },
    )
  })

  it('charges a fee back the other way round', async () => {
    const accountId = newAccountId()
    const own = newAccountId()
    const fee: NewTransfer = {
      ...billed(accountId, 'f/1', 50n),
      kind: 'percentage-fee',
      debit: 'seller-balance',
      credit: 'percentage-fees',
      sellerAccountId: own,
    }
    await house.database.transaction((tx) =>
      post(tx, [fee, { ...fee, reference: 'f/2', amount: 20n, debit: 'percentage-fees', credit: 'seller-balance' }]),
    )
    expect(await house.database.read((tx) => sellerBalance(tx, { sellerAccountId: own, currency: 'USD' }))).toBe(-30n)
  })
})
