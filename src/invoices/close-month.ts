/**
 * Closes a month: counts, rates, bills and books it for every account that bought anything (spec §5).
 *
 * The accounts are claimed in cohorts, each closed in one transaction, by any number of workers in any number of processes.
 * Whoever dies leaves claims open that the next close takes; what was committed stays closed, because `account_month` says
 * so and the bill was written in the same transaction. An account that fails is parked with its reason and the others
 * go on.
 */
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import { monthOf, monthPeriod, nextMonth, type Month } from '../base/period.ts'
import type { Database } from '../database/database.ts'
import { closeCohort, MonthBooks } from './close-cohort.ts'
import {
  countClaims,
  countTransactionsBefore,
  finishClose,
  insertClaims,
  insertClose,
  lockClaims,
  parkClaim,
  selectBounds,
  selectServerTime,
  type ClaimCounts,
} from './close-store.ts'

/** Accounts closed in one transaction: enough that statements cost little each, few enough to lose little when killed. */
const cohortDefault = 500
/** How long transactions that began in the month may take to end before the close gives up. */
const settleWaitMs = 60_000
const pollMs = 20
/** Broken connections in a row after which a worker gives up. */
const brokenMax = 5

export interface CloseProgress {
  readonly month: Month
  /** Accounts closed. */
  readonly done: number
  /** Accounts the close is about. */
  readonly total: number
  readonly parked: number
}

export interface MonthClosed extends CloseProgress {
  /** Whether no account is left open; parked ones do not hold a close up. */
  readonly finished: boolean
}

export interface CloseRequest {
  readonly month: Month
  /** Cohorts at once; 2 by default. */
  readonly workers?: number
  /** Accounts in a cohort; 500 by default. */
  readonly cohort?: number
  /** Called with progress after each cohort. */
  readonly report?: (progress: CloseProgress) => void
}

/**
 * Closes a month, or goes on closing it. Closing a closed month changes nothing.
 *
 * @throws Fault IncorrectState when the month has not ended, or the month before it is not closed
 */
export async function closeMonth(database: Database, of: CloseRequest): Promise<MonthClosed> {
  const { month, workers = 2, cohort = cohortDefault } = of
  assert(workers >= 1 && cohort >= 1, 'a close has a worker and an account at a time')
  await database.read(async (tx) => {
    requireEnded(month, tx.now)
    requirePreviousClosed(month, nextToClose(await selectBounds(tx)))
  })
  const close = await database.transaction((tx) => insertClose(tx, month))
  if (close.finishedAt === null) await waitForEarlierTransactions(database)

  const books = new MonthBooks()
  const progress = new Progress(month, of.report)
  for (;;) {
    const added = close.finishedAt === null ? await database.transaction((tx) => insertClaims(tx, month)) : 0
    await progress.recount(database)
    if (added === 0 && progress.open === 0) break
    await settleAll(Array.from({ length: workers }, () => closeCohorts(database, { month, cohort }, books, progress)))
    // Claimed again until nothing is new: accounts that came while the close ran are swept up.
  }
  return await database.transaction(async (tx) => {
    await finishClose(tx, month)
    const { done, open, parked } = await countClaims(tx, month)
    return { month, done, total: done + open + parked, parked, finished: open === 0 }
  })
}

/** Waits for every one before it throws: a worker left behind would write after the close was told to have failed. */
async function settleAll(workers: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** The month to be closed next; undefined while nothing was ever sold. */
export async function monthToClose(database: Database): Promise<Month | undefined> {
  return nextToClose(await database.read(selectBounds))
}

function nextToClose({
  lastFinished,
  firstSold,
}: {
  lastFinished: Month | null
  firstSold: Date | null
}): Month | undefined {
  if (lastFinished !== null) return nextMonth(lastFinished)
  return firstSold === null ? undefined : monthOf(firstSold)
}

class Progress {
  readonly #month: Month
  readonly #report: (progress: CloseProgress) => void
  #counts: ClaimCounts = { done: 0, open: 0, parked: 0 }

  constructor(month: Month, report: ((progress: CloseProgress) => void) | undefined) {
    this.#month = month
    this.#report = report ?? (() => undefined)
  }

  get open(): number {
    return this.#counts.open
  }

  async recount(database: Database): Promise<void> {
    this.#counts = await database.read((tx) => countClaims(tx, this.#month))
    this.#tell()
  }

  /** Counted here rather than in the database: counting a million claims after every cohort would cost more than closing it. */
  add(done: number, parked: number): void {
    const { done: before, open, parked: parkedBefore } = this.#counts
    this.#counts = { done: before + done, open: Math.max(open - done - parked, 0), parked: parkedBefore + parked }
    this.#tell()
  }

  #tell(): void {
    const { done, open, parked } = this.#counts
    this.#report({ month: this.#month, done, total: done + open + parked, parked })
  }
}

/** One worker: cohort after cohort, until no claim is left that nobody else holds. */
async function closeCohorts(
  database: Database,
  { month, cohort: limit }: { month: Month; cohort: number },
  books: MonthBooks,
  progress: Progress,
): Promise<void> {
  let broken = 0
  for (;;) {
    let cohort: readonly string[] = []
    try {
      await database.transaction(async (tx) => {
        const claims = await lockClaims(tx, { month, limit })
        cohort = claims.map((claim) => claim.accountId)
        if (claims.length > 0) await closeCohort(tx, month, books, claims)
      })
      broken = 0
      if (cohort.length > 0) progress.add(cohort.length, 0)
      else if ((await database.read((tx) => countClaims(tx, month))).open === 0) return
      else await pause(pollMs)
    } catch (error) {
      if (isOfTheDatabase(error)) {
        broken += 1
        if (broken >= brokenMax) throw error
        database.log.warn({ err: error, month }, 'closing a cohort broke off and is tried again')
        await pause(pollMs * 2 ** broken)
      } else await closeOneByOne(database, month, books, cohort, progress)
    }
  }
}

/** The way of a cohort in which some account fails: each on its own, so that only those that fail are parked. */
async function closeOneByOne(
  database: Database,
  month: Month,
  books: MonthBooks,
  accountIds: readonly string[],
  progress: Progress,
): Promise<void> {
  for (const accountId of accountIds) {
    try {
      const closed = await database.transaction(async (tx) => {
        const claims = await lockClaims(tx, { month, limit: 1, accountId })
        if (claims.length > 0) await closeCohort(tx, month, books, claims)
        return claims.length
      })
      progress.add(closed, 0)
    } catch (error) {
      if (isOfTheDatabase(error)) throw error
      const reason = error instanceof Fault ? error.message : `It failed: ${(error as Error).message}`
      database.log.error({ err: error, month, accountId }, 'the month of an account could not be closed; it is parked')
      const parked = await database.transaction((tx) => parkClaim(tx, { month, accountId, reason }))
      progress.add(0, parked ? 1 : 0)
    }
  }
}

/**
 * Waits until no transaction is open that began before now, and so may have had an instant inside the month: a run that
 * started or ended in it and is not committed yet would be counted as if it had not.
 */
async function waitForEarlierTransactions(database: Database): Promise<void> {
  const began = await database.read(selectServerTime)
  const giveUpAt = performance.now() + settleWaitMs
  for (;;) {
    const open = await database.read((tx) => countTransactionsBefore(tx, began))
    if (open === 0) return
    if (performance.now() > giveUpAt) {
      throw new Fault(
        'IncorrectState',
        `${open} transactions that began before the month was to be closed are still open after ${settleWaitMs / 1000} s; end them (pg_stat_activity names them) and close the month again.`,
      )
    }
    await pause(pollMs)
  }
}

function requireEnded(month: Month, now: Date): void {
  const { end } = monthPeriod(month)
  if (now >= end) return
  throw new Fault(
    'IncorrectState',
    `${month} has not ended: it is ${now.toISOString()} by the billing clock, and the month can be closed from ${end.toISOString()} on.`,
  )
}

function requirePreviousClosed(month: Month, next: Month | undefined): void {
  if (next === undefined || month <= next) return
  throw new Fault('IncorrectState', `Months are closed in order: close ${next} before ${month}.`)
}

/** Whether a failure is the database's or the connection's, and so says nothing about an account. */
function isOfTheDatabase(error: unknown): boolean {
  if (error instanceof Fault) return false
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return /^(08|40|53|55|57|58|XX|E[A-Z]+$)/.test(code) || /connection|not queryable|timeout exceeded/i.test(message)
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
