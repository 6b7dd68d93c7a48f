/** Copies of a test's own database, for tests that do the same thing to the same state many times. */
import { randomUUID } from 'node:crypto'
import pg, { type Pool } from 'pg'
import { createLog } from '../src/base/telemetry.ts'
import { manualClock } from '../src/database/clock.ts'
import { Database } from '../src/database/database.ts'
import { connectionOptions, createPool } from '../src/database/pool.ts'
import type { TestDatabase } from './database.ts'

export interface Clone {
  readonly database: Database
  readonly pool: Pool
  /** The variables with which `turnpike …` works on it. */
  readonly environment: Readonly<Record<string, string>>
  /** Drops it. */
  close(): Promise<void>
}

/** Copies a database whose users are idle: their connections are ended, and opened again at their next question. */
export async function cloneDatabase(original: TestDatabase): Promise<Clone> {
  const log = createLog('silent')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const administer = async (...statements: string[]): Promise<void> => {
    const client = new pg.Client(connectionOptions({ ...original.address, database: 'postgres' }))
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  }
  await administer(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${String(original.address.database)}'`,
    `create database ${name} template ${String(original.address.database)} strategy file_copy`,
  )
  const socketFolder = original.address.socketFolder ?? ''
  const url = `postgres://turnpike@/${name}?host=${encodeURIComponent(socketFolder)}`
  const pool = createPool({ ...original.address, database: name }, log, 4)
  const { config, sealer } = original.database
  return {
    database: new Database({ pool, clock: manualClock, config: { ...config, databaseUrl: url }, sealer, log }),
    pool,
    environment: { DATABASE_URL: url, TURNPIKE_MASTER_KEY: config.masterKey ?? '', TURNPIKE_CLOCK: 'manual' },
    async close() {
      await pool.end()
      await administer(`drop database ${name} with (force)`)
    },
  }
}
