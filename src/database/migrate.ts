/**
 * Brings a database to the schema of this release: the numbered files of `migrations/`, forward only, each in one
 * transaction, then the job queue's own tables. Any number of processes may do this at once; one works, the others wait.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Logger, runMigrations } from 'graphile-worker'
import type { ClientBase, Pool } from 'pg'
import { assert } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import type { Log } from '../base/telemetry.ts'

/** Both `src/database/` and the emitted `dist/database/` lie two folders below the package. */
const shippedFolder = fileURLToPath(new URL('../../migrations/', import.meta.url))

const serverVersionMin = 150_000
/** Names our lock among all advisory locks of the database: "turnpike" read as a number. */
const advisoryLock = '8391735807583054437'
const fileForm = /^(\d{6})_([a-z0-9-]+)\.sql$/

/** One numbered file. */
export interface Migration {
  readonly version: number
  /** File name without its ending, such as `000001_accounts`. */
  readonly name: string
  readonly sha256: string
  readonly text: string
}

/** How far a database is. */
export interface MigrationStatus {
  /** Highest version applied; 0 in an empty database. */
  readonly version: number
  /** Highest version this release has. */
  readonly latest: number
  readonly applied: readonly { readonly name: string; readonly appliedAt: Date }[]
  /** Names of the files still to apply, in order. */
  readonly pending: readonly string[]
}

interface AppliedRow {
  version: number
  name: string
  sha256: string
  applied_at: Date
}

/** The files of a folder, in order. They are numbered 1, 2, 3, … without a gap, so that two releases can be compared. */
export function readMigrations(folder: string = shippedFolder): Migration[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  assert(files.length > 0, `${folder} holds migrations`)
  return files.toSorted().map((file, index) => {
    const version = Number(fileForm.exec(file)?.[1] ?? 0)
    assert(version === index + 1, `migration ${file} is number ${index + 1} and named like 000001_accounts.sql`)
    const text = readFileSync(`${folder}/${file}`, 'utf8')
    return { version, name: file.slice(0, -4), sha256: createHash('sha256').update(text).digest('hex'), text }
  })
}

/**
 * Applies what is missing.
 *
 * @param pool at least two connections: one holds the lock while the job queue migrates on another
 * @returns the names applied now (none when the schema was current) and the version the database has after it
 * @throws Fault InvalidConfiguration when the server is too old, or the schema is newer than this release or not its own
 */
export async function migrate(
  pool: Pool,
  log: Log,
  migrations: readonly Migration[] = readMigrations(),
): Promise<{ applied: string[]; version: number }> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    requireServerVersion(await serverVersion(client))
    await client.query('select pg_advisory_lock($1)', [advisoryLock])
    try {
      const applied = await applyPending(client, log, migrations)
      await runMigrations({ pgPool: pool, schema: 'graphile_worker', logger: quietLogger(log) })
      return { applied, version: migrations.at(-1)?.version ?? 0 }
    } finally {
      await client.query('select pg_advisory_unlock($1)', [advisoryLock]).catch((error: unknown) => {
        // A session whose lock cannot be released must not go back to the pool: ending it releases the lock.
        broken = error as Error
      })
    }
  } finally {
    client.release(broken)
  }
}

/** Says how far the database is, changing nothing. */
export async function migrationStatus(
  pool: Pool,
  migrations: readonly Migration[] = readMigrations(),
): Promise<MigrationStatus> {
  const found = await pool.query<{ exists: boolean }>(
    `select to_regclass('public.schema_migration') is not null as exists`,
  )
  const applied = found.rows[0]?.exists === true ? await appliedMigrations(pool) : []
  const version = applied.at(-1)?.version ?? 0
  return {
    version,
    latest: migrations.at(-1)?.version ?? 0,
    applied: applied.map((row) => ({ name: row.name, appliedAt: row.applied_at })),
    pending: migrations.filter((migration) => migration.version > version).map((migration) => migration.name),
  }
}

/**
 * @param found `server_version_num`, such as 180004 for 18.4
 * @throws Fault InvalidConfiguration when the server is older than PostgreSQL 15
 */
export function requireServerVersion(found: number): void {
  if (found >= serverVersionMin) return
  throw new Fault(
    'InvalidConfiguration',
    `The database server is PostgreSQL ${Math.floor(found / 10_000)}.${found % 10_000}; Turnpike needs PostgreSQL ${serverVersionMin / 10_000} or newer. Upgrade the server, let DATABASE_URL name a newer one, or leave DATABASE_URL out to use the PostgreSQL that comes with Turnpike.`,
  )
}

async function serverVersion(client: ClientBase): Promise<number> {
  const result = await client.query<{ found: string }>(`select current_setting('server_version_num') as found`)
  return Number(result.rows[0]?.found)
}

async function appliedMigrations(client: Pick<ClientBase, 'query'>): Promise<AppliedRow[]> {
  const result = await client.query<AppliedRow>(
    'select version, name, sha256, applied_at from public.schema_migration order by version',
  )
  return result.rows
}

async function applyPending(client: ClientBase, log: Log, migrations: readonly Migration[]): Promise<string[]> {
  await client.query(`create table if not exists public.schema_migration (
    version integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null
  )`)
  const applied = await appliedMigrations(client)
  checkApplied(applied, migrations)
  const pending = migrations.slice(applied.length)
  for (const migration of pending) await apply(client, migration)
  if (pending.length > 0) log.info({ applied: pending.map((migration) => migration.name) }, 'the schema was migrated')
  return pending.map((migration) => migration.name)
}

async function apply(client: ClientBase, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(migration.text)
    await client.query(
      // The real time, not the billing clock's: this records what an operator did to the machine.
      'insert into public.schema_migration (version, name, sha256, applied_at) values ($1, $2, $3, now())',
      [migration.version, migration.name, migration.sha256],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw new Error(`migration ${migration.name} failed and changed nothing: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** What was applied must be a beginning of what this release would apply, to the byte. */
function checkApplied(applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  const last = applied.at(-1)
  const latest = migrations.at(-1)
  if (last !== undefined && latest !== undefined && last.version > latest.version) {
    throw new Fault(
      'InvalidConfiguration',
      `The database has schema version ${last.version} (${last.name}); this Turnpike knows versions up to ${latest.version} (${latest.name}). A newer Turnpike has migrated it and there is no way back: upgrade Turnpike to that release, or use another database.`,
    )
  }
  for (const [index, row] of applied.entries()) {
    const migration = migrations[index]
    if (migration?.version === row.version && migration.sha256 === row.sha256) continue
    throw new Fault(
      'InvalidConfiguration',
      `Migration ${row.name} was applied to this database on ${row.applied_at.toISOString()} and its file is ${migration?.version === row.version ? `another now (${migration.name})` : 'missing now'}. Its schema is not that of any release of this Turnpike: use the Turnpike that made it, or start with an empty data folder or database.`,
    )
  }
}

/** The queue's own log lines are of interest only when something is wrong. */
function quietLogger(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log.error({ source: 'graphile-worker' }, message)
    else if (level === 'warning') log.warn({ source: 'graphile-worker' }, message)
    else log.debug({ source: 'graphile-worker' }, message)
  })
}
