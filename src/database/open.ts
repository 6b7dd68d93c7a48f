/** Opens the database a configuration names: started or reached, migrated, with its clock and its seal. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Config } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { Sealer } from '../base/seal.ts'
import { secondMs } from '../base/time.ts'
import type { Log } from '../base/telemetry.ts'
import { manualClock, systemClock, type Clock } from './clock.ts'
import { Database } from './database.ts'
import { attachEmbedded, startEmbedded, type EmbeddedPostgres } from './embedded.ts'
import { loadMasterKey, masterKeyPath } from './master-key.ts'
import { migrate } from './migrate.ts'
import { createPool, endPool, type DatabaseAddress } from './pool.ts'

const othersLeaveMsMax = 30_000
const startMsMax = 30_000
const pollMs = 50

export interface OpenOptions {
  /**
   * Whether this process is the service, which has the data folder for itself (the default). Operator commands say false:
   * they work beside a running service, and start the database for themselves when none runs.
   */
  readonly exclusive?: boolean
  /** Called when the embedded PostgreSQL is gone for good; nothing but ending the process is left. */
  readonly onLost?: (reason: Error) => void
}

export interface OpenedDatabase {
  readonly database: Database
  /** For listeners and workers that connect by themselves. */
  readonly address: DatabaseAddress
  /** Ends every connection, and the PostgreSQL this process started. May be called again. */
  close(): Promise<void>
}

/**
 * @throws Fault InvalidConfiguration when the database cannot be used: not reachable, too old, of a newer Turnpike, its data
 *   folder in use, the master key missing or not the one the database is sealed with, a manual clock where the system's was asked for
 */
export async function openDatabase(config: Config, log: Log, options: OpenOptions = {}): Promise<OpenedDatabase> {
  const exclusive = options.exclusive ?? true
  const sealer = new Sealer(loadMasterKey(config))
  const { address, embedded } = await reachServer(config, log, exclusive)
  if (options.onLost !== undefined) embedded?.onExit(options.onLost)
  const pool = createPool(address, log)
  const end = async (): Promise<void> => {
    try {
      if (embedded !== undefined && !exclusive) await othersLeave(pool, log)
      await endPool(pool)
    } finally {
      await embedded?.stop()
    }
  }
  let ended: Promise<void> | undefined
  const close = (): Promise<void> => (ended ??= end())
  try {
    await requireConnection(pool, config)
    await migrate(pool, log)
    await requireSameKey(pool, config, sealer)
    const attached = embedded === undefined && config.databaseUrl === undefined
    const clock = await chooseClock(pool, config, { exclusive, attached })
    return { database: new Database({ pool, clock, config, sealer, log }), address, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function reachServer(
  config: Config,
  log: Log,
  exclusive: boolean,
): Promise<{ address: DatabaseAddress; embedded?: EmbeddedPostgres }> {
  if (config.databaseUrl !== undefined) return { address: { url: config.databaseUrl } }
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    const running = exclusive ? undefined : await attachEmbedded(config.dataFolder)
    if (running !== undefined) return { address: running }
    try {
      const embedded = await startEmbedded({ dataFolder: config.dataFolder, log })
      return { address: embedded.address, embedded }
    } catch (error) {
      // The one who has the folder may be starting, so that a moment later its database can be used, or ending.
      const waits = !exclusive && waitedMs < startMsMax && error instanceof Fault && error.data['reason'] === 'in-use'
      if (!waits) throw error
    }
    await delay(pollMs)
  }
}

/** Says where the trouble is before anything else fails for the same reason. Never shows the URL's password. */
async function requireConnection(pool: Pool, config: Config): Promise<void> {
  try {
    await pool.query('select 1')
  } catch (error) {
    if (config.databaseUrl === undefined) throw error
    throw new Fault(
      'InvalidConfiguration',
      `The database DATABASE_URL names (${withoutSecrets(config.databaseUrl)}) cannot be used: ${(error as Error).message || String((error as NodeJS.ErrnoException).code)}. Check that the server runs, that host, port, user and password are right, and that the database exists.`,
      { detail: error },
    )
  }
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@').replace(/\?.*$/, '')
}

/**
 * A database belongs to the master key it was first opened with. Another one is refused here, before anything is sealed with
 * it: half the secrets under one key and half under another could not be put right again.
 */
async function requireSameKey(pool: Pool, config: Config, sealer: Sealer): Promise<void> {
  await pool.query('insert into master_key (fingerprint) values ($1) on conflict (singleton) do nothing', [
    sealer.fingerprint(),
  ])
  const found = await pool.query<{ fingerprint: string }>('select fingerprint from master_key')
  if (found.rows[0]?.fingerprint === sealer.fingerprint()) return
  const given =
    config.masterKey === undefined ? `the key in ${masterKeyPath(config)}` : 'the key in TURNPIKE_MASTER_KEY'
  throw new Fault(
    'InvalidConfiguration',
    `The secrets in this database are sealed with another master key than ${given}. Nothing was changed. Put the right key back from your backup; without it the access keys and product tokens in this database cannot be opened.`,
  )
}

/**
 * A row in `clock` means that this database lives on a manual clock: its months and due instants are on that time line, and
 * the system's time would bill the months between at once. So a service with another clock is refused, and operator
 * commands follow the database. A command beside a running service never makes the row: it would stop that one's time.
 * And a database in which something was sold in real time is never put on a manual clock.
 */
async function chooseClock(
  pool: Pool,
  config: Config,
  { exclusive, attached }: { exclusive: boolean; attached: boolean },
): Promise<Clock> {
  if (config.clock === 'manual' && !attached) {
    await requireNoRealBooks(pool)
    const start = config.clockStart ?? new Date(Math.floor(Date.now() / secondMs) * secondMs)
    await pool.query('insert into clock (now) values ($1) on conflict (singleton) do nothing', [start])
    return manualClock
  }
  const found = await pool.query<{ now: Date }>('select now from clock')
  const row = found.rows[0]
  if (row === undefined) return systemClock
  if (!exclusive) return manualClock
  throw new Fault(
    'InvalidConfiguration',
    `This database lives on a manual clock, which stands at ${row.now.toISOString()}; the configuration asks for the system clock. Start with --clock manual (or TURNPIKE_CLOCK=manual), or use another data folder or database for real time.`,
  )
}

/** Whoever starts a service with real buyers on a manual clock by mistake would stop its time, and could not go back. */
async function requireNoRealBooks(pool: Pool): Promise<void> {
  const found = await pool.query<{ real: boolean }>(
    'select not exists (select from clock) and exists (select from transfer) as real',
  )
  if (found.rows[0]?.real !== true) return
  throw new Fault(
    'InvalidConfiguration',
    'Something was sold in this database by the system’s clock, so it stays on that; the configuration asks for a manual clock. Start without --clock manual (and TURNPIKE_CLOCK), or use another data folder or database for trials.',
  )
}

/** A command that started the database lets other commands that came to it finish, within a bound. */
async function othersLeave(pool: Pool, log: Log): Promise<void> {
  for (let waitedMs = 0; waitedMs < othersLeaveMsMax; waitedMs += pollMs) {
    const found = await pool.query<{ others: number }>(
      `select count(*)::int as others from pg_stat_activity
       where backend_type = 'client backend' and application_name = 'turnpike' and pid <> pg_backend_pid()`,
    )
    const ours = pool.totalCount - 1
    if ((found.rows[0]?.others ?? 0) <= ours) return
    await delay(pollMs)
  }
  log.warn('another command still uses the database that this one started; it is ended now')
}
