/**
 * A process that collects bills is killed (SIGKILL) when the processor has taken the money and we have not written so yet,
 * bill after bill. Whoever goes on takes no money twice and forgets none, and the books are those of a collection that
 * nobody killed.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runInstances } from '../../src/instances/run-instances.ts'
import { closeMonth } from '../../src/invoices/close-month.ts'
import { startService } from '../../src/main.ts'
import { booksOf } from '../books-summary.ts'
import { cloneDatabase, type Clone } from '../clone-database.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { decliningCard, goodCard, proveBooks, until } from '../house.ts'
import { callerOf, newPaidImage, region } from '../machines.ts'
import { enterCard, order } from '../orders.ts'
import { newAccount, newProduct, sampleProduct } from '../products.ts'
import { endingOf, runCommand, startCommand } from '../service-process.ts'

const buyers = 14
const to = '2026-07-03T00:00:00Z'

let july: TestDatabase
let unkilled: Awaited<ReturnType<typeof booksOf>>

beforeAll(async () => {
  july = await testDatabase()
  const service = await startService({ ...july.config, port: 0 }, july.log)
  const { database, processor } = service
  const { price } = sampleProduct()
  const charging = await newProduct(database)
  // Nothing is due at the sign-up, so that a card which declines every charge gets as far as the first bill.
  const usageOnly = await newProduct(database, { price: { rates: price.rates } })
  for (let count = 0; count < buyers; count += 1) {
    const declines = count % 5 === 4
    const { product } = declines ? usageOnly : charging
    const accountId = await newAccount(database, 'Buyer')
    await enterCard(database, processor, accountId, declines ? decliningCard : goodCard)
    await order(database, accountId, product)
    await service.drain()
    const { imageId } = await newPaidImage(database, product)
    const request = { caller: callerOf(accountId), region, imageId, minCount: 1, maxCount: 1 }
    await database.transaction((tx) => runInstances(tx, request))
  }
  await service.drain()
  // Stopped first: the service would collect at once what the close makes.
  await service.close()
  await july.setClock(new Date('2026-07-01T00:00:00Z'))
  await closeMonth(july.database, { month: '2026-06' })

  const clone = await cloneDatabase(july)
  const { code, stderr } = await runCommand(['clock', 'advance', to], clone.environment)
  if (code !== 0) throw new Error(stderr)
  unkilled = await booksOf(clone.pool)
  await clone.close()
}, 180_000)
afterAll(() => july.close())

/** Payments the processor has decided on and we have not settled, and payments it was asked for since the close. */
async function payments({ pool }: Clone): Promise<{ unsettled: number; asked: number }> {
  const { rows } = await pool.query<{ unsettled: number; asked: number }>(
    `select count(*) filter (where attempt.state = 'started')::int as unsettled, count(*)::int as asked
       from sandbox.object payment
       join payment_attempt attempt on payment.data -> 'metadata' ->> 'invoice_id' = attempt.invoice_id::text
         and payment.data -> 'metadata' ->> 'attempt_number' = attempt.attempt_number::text
       join invoice on invoice.account_id = attempt.account_id and invoice.invoice_id = attempt.invoice_id
      where payment.kind = 'payment_intent' and invoice.kind = 'monthly'`,
  )
  return rows[0] ?? { unsettled: 0, asked: 0 }
}

/** What the processor took, by bill and attempt. */
async function taken({ pool }: Clone): Promise<{ charge: string; times: number; amount: bigint }[]> {
  const { rows } = await pool.query<{ charge: string; times: number; amount: bigint }>(
    `select data -> 'metadata' ->> 'invoice_id' as charge, count(*)::int as times,
        sum((data ->> 'amount')::bigint)::bigint as amount
       from sandbox.object where kind = 'payment_intent' and data ->> 'status' = 'succeeded' group by 1 order by 1`,
  )
  return rows
}

describe('a collection killed', { timeout: 120_000 }, () => {
  test.each([1, 2, 3, 5, 7, 9, 10, 12])(
    'when the processor has been asked %i times takes everything once',
    async (asked) => {
      const clone = await cloneDatabase(july)
      const child = startCommand(['clock', 'advance', to], clone.environment)
      const ended = endingOf(child)
      const reached = async (): Promise<true | undefined> => {
        const now = await payments(clone)
        return now.asked >= asked && (now.unsettled > 0 || now.asked > asked) ? true : undefined
      }
      await Promise.race([until(reached, 'the processor has answered'), ended])
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')

      const next = await runCommand(['clock', 'advance', to], clone.environment)
      expect([next.code, next.stderr]).toEqual([0, expect.not.stringContaining('"level":50') as string])
      await proveBooks(clone.database)
      expect(await booksOf(clone.pool)).toEqual(unkilled)
      const charges = await taken(clone)
      expect(charges.map((charge) => charge.times)).toEqual(charges.map(() => 1))
      const { rows } = await clone.pool.query<{ paid: bigint }>(
        `select sum(amount)::bigint as paid from transfer where kind = 'paid'`,
      )
      expect(charges.reduce((sum, charge) => sum + charge.amount, 0n)).toBe(rows[0]?.paid)
      await clone.close()
    },
  )
})
