/**
 * A process that closes a month is killed (SIGKILL) at many points of it, and another one closes the month after it. It is
 * closed once, proven, and the books are those of a close that nobody killed.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addMs } from '../../src/base/time.ts'
import { closeMonth, type MonthClosed } from '../../src/invoices/close-month.ts'
import { signUp, writeRun } from '../books.ts'
import { booksOf } from '../books-summary.ts'
import { cloneDatabase, type Clone } from '../clone-database.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { proveBooks, until } from '../house.ts'
import { newProduct } from '../products.ts'
import { endingOf, startCommand, type Ending } from '../service-process.ts'

const month = '2026-06'
const accounts = 600
/** Points of time spread over the close, after which the process is killed. */
const points = 12

let june: TestDatabase
let unkilled: Awaited<ReturnType<typeof booksOf>>
let closeMs = 0

beforeAll(async () => {
  june = await testDatabase({ clock: new Date('2026-06-10T00:00:00Z') })
  const products = [await newProduct(june.database), await newProduct(june.database, { price: { oneTime: '3.00' } })]
  await june.database.transaction(async (tx) => {
    for (let count = 0; count < accounts; count += 1) {
      const { product, sellerAccountId } = products[count % 2] ?? (await newProduct(june.database))
      const { productCode, currency } = product
      const [oneTime, monthly] = count % 2 === 0 ? [0n, 2000n] : [300n, 0n]
      const subscription = await signUp(tx, { productCode, sellerAccountId, currency, oneTime, monthly })
      const startedAt = addMs(tx.now, count * 60_000)
      const endedAt = count % 3 === 0 ? undefined : addMs(startedAt, (count % 50) * 3_600_000 + 1)
      await writeRun(tx, subscription, { instanceType: 'm1.small', startedAt, endedAt })
    }
  })
  await june.setClock(new Date('2026-07-01T00:00:00Z'))

  const clone = await cloneDatabase(june)
  const { ending, ms } = await closing(clone, () => new Promise(() => undefined))
  if (ending.code !== 0) throw new Error(ending.stderr)
  closeMs = ms
  unkilled = await booksOf(clone.pool)
  await clone.close()
}, 180_000)
afterAll(() => june.close())

async function closedAccounts({ pool }: Clone): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from account_month')
  return rows[0]?.n ?? 0
}

/**
 * Runs `turnpike close-month` in a process, kills it when `moment` has come, counted from when the close begins.
 *
 * @returns how it ended, and how long it closed
 */
async function closing(clone: Clone, moment: () => Promise<void>): Promise<{ ending: Ending; ms: number }> {
  const child = startCommand(['close-month', month], clone.environment)
  const ended = endingOf(child)
  await until(async () => {
    const { rowCount } = await clone.pool.query('select 1 from month_close')
    return rowCount === 1 ? true : undefined
  }, 'the close begins')
  const began = performance.now()
  const over = ended.then(() => undefined)
  await Promise.race([moment(), over])
  child.kill('SIGKILL')
  return { ending: await ended, ms: performance.now() - began }
}

/** The next process closes the month; the books must be proven. */
async function closeAfter(clone: Clone): Promise<{ closed: MonthClosed; books: typeof unkilled }> {
  const closed = await closeMonth(clone.database, { month })
  await proveBooks(clone.database)
  return { closed, books: await booksOf(clone.pool) }
}
const closedAll = { month, done: accounts, total: accounts, parked: 0, finished: true }

describe('a close killed', { timeout: 120_000 }, () => {
  test.each(Array.from({ length: points }, (_, point) => point))('after %i/12 of its time', async (point) => {
    const clone = await cloneDatabase(june)
    await closing(clone, () => new Promise((resolve) => setTimeout(resolve, (closeMs * point) / points)))
    expect(await closeAfter(clone)).toEqual({ closed: closedAll, books: unkilled })
    await clone.close()
  })

  test('as soon as one cohort is closed leaves the others open, and they are closed then', async () => {
    const clone = await cloneDatabase(june)
    const begun = async (): Promise<true | undefined> => ((await closedAccounts(clone)) > 0 ? true : undefined)
    const { ending } = await closing(clone, async () => void (await until(begun, 'a cohort is closed')))
    expect(ending.signal).toBe('SIGKILL')
    expect(await closedAccounts(clone)).toBeLessThan(accounts)
    expect(await closeAfter(clone)).toEqual({ closed: closedAll, books: unkilled })
    await clone.close()
  })
})
