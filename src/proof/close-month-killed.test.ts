/** A month close that is killed, and PostgreSQL's sessions under it: closed once, and proven. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { at, signUp, writeProduct, writeRateCard, writeRun } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { closeMonth } from '../invoices/close-month.ts'
import { prove } from './prove.ts'

const accounts = 60
const program = fileURLToPath(new URL('../../test/close-month-process.ts', import.meta.url))

let house: TestDatabase
beforeEach(async () => {
  house = await testDatabase()
  await at(house, '2026-06-01', async (tx) => {
    await writeRateCard(tx, { rates: { 'm1.small': '0.10' } })
    const product = await writeProduct(tx, { monthly: '10', rates: { 'm1.small': '0.25' } })
    for (let index = 0; index < accounts; index += 1) {
      const subscription = await signUp(tx, product)
      await writeRun(tx, subscription, { instanceType: 'm1.small', startedAt: tx.now })
    }
  })
  await house.setClock(new Date('2026-07-01T00:00:00Z'))
})
afterEach(() => house.close())

/** Every account has one bill of 720 hours at $0.25 and a charge of $10.00, and the books are proven. */
async function requireClosedOnce(): Promise<void> {
  const { rows } = await house.pool.query(
    `select count(*)::integer as bills, count(distinct account_id)::integer as accounts, min(total) as least, max(total) as most
     from invoice where kind = 'monthly'`,
  )
  expect(rows).toEqual([{ bills: accounts, accounts, least: 19000n, most: 19000n }])
  const { checks } = await prove(house.database)
  expect(checks.filter((check) => !check.ok)).toEqual([])
}

/** Runs the close in a process of its own and kills it after it has told its progress so many times. */
async function closeAndKill(tellings: number): Promise<{ finished: boolean; signal: string | null }> {
  const { socketFolder = '', database = '' } = house.address
  const child = spawn(process.execPath, [program, socketFolder, database, '2026-06'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  let told = 0
  let finished = false
  for await (const line of createInterface({ input: child.stdout })) {
    told += 1
    finished = line === 'finished'
    // A cohort or two are being written at this very moment.
    if (told === tellings) child.kill('SIGKILL')
  }
  const [, signal] = await ended
  return { finished, signal }
}

it('kill -9 of the process, again and again: the close goes on and is made once', async () => {
  const signals: (string | null)[] = []
  for (const tellings of [1, 2, 5, 4, 3]) signals.push((await closeAndKill(tellings)).signal)
  expect(signals).toEqual(Array.from({ length: 5 }, () => 'SIGKILL'))
  const half = await house.pool.query<{ closed: number }>('select count(*)::integer as closed from account_month')
  expect(half.rows[0]?.closed).toBeGreaterThan(0)
  expect(half.rows[0]?.closed).toBeLessThan(accounts)
  expect(await closeAndKill(Infinity)).toEqual({ finished: true, signal: null })
  expect(await closeMonth(house.database, { month: '2026-06' })).toMatchObject({ done: accounts, finished: true })
  await requireClosedOnce()
}, 60_000)

it('sessions of PostgreSQL that end in the middle: no account is parked for it, and the close is made once', async () => {
  let killed = 0
  const closing = new AbortController()
  const killer = (async () => {
    while (!closing.signal.aborted && killed < 12) {
      const { rows } = await house.pool
        .query<{ ended: boolean }>(
          `select pg_terminate_backend(pid) as ended from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null limit 1`,
        )
        .catch(() => ({ rows: [] }))
      killed += rows.length
    }
  })()
  let closed
  for (let attempt = 1; closed?.finished !== true && attempt <= 20; attempt += 1) {
    closed = await closeMonth(house.database, { month: '2026-06', cohort: 3 }).catch(() => undefined)
  }
  closing.abort()
  await killer
  expect(killed).toBeGreaterThan(0)
  expect(closed).toEqual({ month: '2026-06', done: accounts, total: accounts, parked: 0, finished: true })
  await requireClosedOnce()
}, 60_000)

it('closers at the same time: each account is closed by one of them', async () => {
  const closers = await Promise.all(
    [1, 2, 3].map(() => closeMonth(house.database, { month: '2026-06', cohort: 2, workers: 2 })),
  )
  expect(closers.every((closed) => closed.finished)).toBe(true)
  await requireClosedOnce()
}, 60_000)
