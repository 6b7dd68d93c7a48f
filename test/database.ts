/**
 * A database of its own for a test file, cloned in about 20 ms from the migrated template of the run:
 *
 *     let house: TestDatabase
 *     beforeAll(async () => { house = await testDatabase() })
 *     afterAll(() => house.close())
 */
import { randomUUID } from 'node:crypto'
import pg, { type Pool } from 'pg'
import { inject } from 'vitest'
import { configKeys, type Config } from '../src/base/config.ts'
import { Sealer } from '../src/base/seal.ts'
import { createLog, type Log } from '../src/base/telemetry.ts'
import { manualClock, systemClock } from '../src/database/clock.ts'
import { Database } from '../src/database/database.ts'
import { connectionOptions, createPool, endPool, type DatabaseAddress } from '../src/database/pool.ts'
import { templateName } from './global-setup.ts'

/** The same in every test, so that what is sealed can be compared; it protects nothing. */
const testMasterKey = Buffer.alloc(32, 7)
const defaultNow = new Date('2026-06-01T00:00:00Z')

export interface TestDatabase {
  readonly database: Database
  readonly pool: Pool
  readonly config: Config
  /** Silent. */
  readonly log: Log
  readonly address: DatabaseAddress
  /** Moves the manual clock, forwards or back. */
  setClock(now: Date): Promise<void>
  /** Ends every connection and drops the database. */
  close(): Promise<void>
}

/**
 * @param options.clock where the manual clock stands at first (2026-06-01T00:00:00Z), or 'system' for the real time
 * @param options.config keys that differ from the defaults
 */
export async function testDatabase(
  options: { clock?: Date | 'system'; config?: Partial<Config> } = {},
): Promise<TestDatabase> {
  const clock = options.clock ?? defaultNow
  const log = createLog('silent')
  const { address, url, pool, close } = await makeDatabase(log, ` template ${templateName} strategy file_copy`)

  const config: Config = {
    ...defaultConfig(),
    databaseUrl: url,
    masterKey: testMasterKey.toString('base64'),
    clock: clock === 'system' ? 'system' : 'manual',
    ...options.config,
  }
  const setClock = async (now: Date): Promise<void> => {
    await pool.query('insert into clock (now) values ($1) on conflict (singleton) do update set now = excluded.now', [
      now,
    ])
  }
  if (clock !== 'system') await setClock(clock)
  const database = new Database({
    pool,
    clock: clock === 'system' ? systemClock : manualClock,
    config,
    sealer: new Sealer(testMasterKey),
    log,
  })
  return { database, pool, config, log, address, setClock, close }
}

export interface EmptyDatabase {
  readonly address: DatabaseAddress
  /** The same place as a plain DATABASE_URL. */
  readonly url: string
  readonly pool: Pool
  close(): Promise<void>
}

/** A database without any schema, for tests of what makes one. */
export async function emptyDatabase(): Promise<EmptyDatabase> {
  return await makeDatabase(createLog('silent'), '')
}

async function makeDatabase(log: Log, clause: string): Promise<EmptyDatabase> {
  const socketFolder = inject('testSocketFolder')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const address = { socketFolder, user: 'turnpike', database: name }
  await administer(socketFolder, `create database ${name}${clause}`)
  const pool = createPool(address, log, 10)
  const close = async (): Promise<void> => {
    await endPool(pool)
    await administer(socketFolder, `drop database ${name} with (force)`)
  }
  return { address, url: `postgres://turnpike@/${name}?host=${encodeURIComponent(socketFolder)}`, pool, close }
}

/** Every key's default, whatever the environment and the working folder say. */
export function defaultConfig(): Config {
  const values = Object.entries(configKeys).map(([key, { schema }]) => [key, schema.parse(undefined)])
  return Object.fromEntries(values) as Config
}

async function administer(socketFolder: string, statement: string): Promise<void> {
  const client = new pg.Client(connectionOptions({ socketFolder, user: 'turnpike', database: 'postgres' }))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
