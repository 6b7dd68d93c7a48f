/**
 * Work that is due at an instant: month ends, retries of a charge, settlements, payouts, ends of access. Each kind is a
 * query over an indexed due instant. With the system clock it is looked at every second; with the manual clock it
 * happens, in order of due instants, when the clock is advanced.
 */
import { Fault } from '../base/fault.ts'
import type { Database } from '../database/database.ts'

/** One kind of due work. */
export interface DueWork {
  readonly name: string
  /** The earliest instant at which something of this kind is or was due; undefined when nothing is planned. */
  next(): Promise<Date | undefined>
  /** Does everything due at or before the billing clock's now. Ends with nothing due, or throws. */
  run(): Promise<void>
}

export interface Step {
  readonly at: Date
  /** Name of the due work, or `clock` for the last step. */
  readonly name: string
}

const takeScheduleLock = `select pg_advisory_lock(hashtextextended('turnpike:schedule', 0))`
const tryScheduleLock = `select pg_try_advisory_lock(hashtextextended('turnpike:schedule', 0)) as taken`
const leaveScheduleLock = `select pg_advisory_unlock(hashtextextended('turnpike:schedule', 0))`

/** Works through everything already due, in order; does nothing while another process does it. The tick of every server. */
export async function runDue(database: Database, kinds: readonly DueWork[]): Promise<void> {
  const lock = await database.pool.connect()
  try {
    const { rows } = await lock.query<{ taken: boolean }>(tryScheduleLock)
    if (rows[0]?.taken !== true) return
    const tried = new Set<string>()
    for (;;) {
      const now = await database.read((tx) => Promise.resolve(tx.now))
      const due = await earliest(kinds, now)
      if (due === undefined) return
      // A kind still due at the same instant after it ran would spin: it is left for the next tick.
      const mark = `${due.kind.name}@${due.at.toISOString()}`
      if (tried.has(mark)) return
      tried.add(mark)
      await due.kind.run()
    }
  } finally {
    await lock.query(leaveScheduleLock).catch(() => undefined)
    lock.release()
  }
}

/**
 * Moves the manual clock forward to an instant, doing on the way everything that falls due, each at its own instant.
 *
 * @param drain lets follow-up tasks finish before the next instant
 * @param report called at each step, for progress
 * @throws Fault Unsupported with the system clock, InvalidParameter when the instant lies in the past
 */
export async function advanceClock(
  database: Database,
  kinds: readonly DueWork[],
  to: Date,
  drain: () => Promise<void>,
  report: (step: Step) => void = () => undefined,
): Promise<void> {
  if (database.clock.kind !== 'manual') {
    throw new Fault(
      'Unsupported',
      'The clock is the system’s and moves by itself; start the service with --clock manual to move it.',
    )
  }
  const lock = await database.pool.connect()
  try {
    await lock.query(takeScheduleLock)
    const now = await database.read((tx) => Promise.resolve(tx.now))
    if (to < now) {
      throw new Fault(
        'InvalidParameter',
        `The clock stands at ${now.toISOString()} and only goes forward; ${to.toISOString()} is before that.`,
      )
    }
    const tried = new Set<string>()
    for (;;) {
      await drain()
      const due = await earliest(kinds, to)
      if (due === undefined) break
      const mark = `${due.kind.name}@${due.at.toISOString()}`
      if (tried.has(mark)) throw new Error(`${due.kind.name} is still due at ${due.at.toISOString()} after it ran`)
      tried.add(mark)
      await setClock(database, due.at)
      await due.kind.run()
      report({ at: due.at, name: due.kind.name })
    }
    await setClock(database, to)
    await drain()
    report({ at: to, name: 'clock' })
  } finally {
    await lock.query(leaveScheduleLock).catch(() => undefined)
    lock.release()
  }
}

async function earliest(kinds: readonly DueWork[], until: Date): Promise<{ kind: DueWork; at: Date } | undefined> {
  let first: { kind: DueWork; at: Date } | undefined
  for (const kind of kinds) {
    const at = await kind.next()
    if (at !== undefined && at <= until && (first === undefined || at < first.at)) first = { kind, at }
  }
  return first
}

/** The clock never goes back: something overdue is done at the clock's present instant. */
async function setClock(database: Database, to: Date): Promise<void> {
  await database.pool.query('update clock set now = greatest(now, $1)', [to])
}
