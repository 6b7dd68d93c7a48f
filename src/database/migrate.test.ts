import { readdirSync } from 'node:fs'
import type { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { emptyDatabase, testDatabase, type EmptyDatabase, type TestDatabase } from '../../test/database.ts'
import { migrate, migrationStatus, readMigrations, requireServerVersion, type Migration } from './migrate.ts'

let house: TestDatabase
const empties: EmptyDatabase[] = []

beforeAll(async () => {
  house = await testDatabase()
})
afterEach(async () => {
  for (const empty of empties.splice(0)) await empty.close()
})
afterAll(() => house.close())

async function freshPool(): Promise<Pool> {
  const empty = await emptyDatabase()
  empties.push(empty)
  return empty.pool
}

const three: Migration[] = [1, 2, 3].map((version) => ({
  version,
  name: `00000${version}_step`,
  sha256: `sha of ${version}`,
  text: `create table step_${version} (n int)`,
}))

/** Our lock, and only ours, is an advisory lock in this database; other test files lock in theirs at the same time. */
async function locksHeld(pool: Pool): Promise<number> {
  const found = await pool.query<{ n: number }>(
    `select count(*)::int as n from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  )
  return found.rows[0]?.n ?? -1
}

test('every file of migrations/ is read, in order and without a gap', () => {
  const files = readdirSync(new URL('../../migrations/', import.meta.url)).filter((file) => file.endsWith('.sql'))
  const migrations = readMigrations()
  expect(migrations.map((migration) => `${migration.name}.sql`)).toEqual(files.toSorted())
  expect(migrations.map((migration) => migration.version)).toEqual(files.map((_, index) => index + 1))
})

test('migrating twice is migrating once', async () => {
  const pool = await freshPool()
  const latest = readMigrations().length
  expect(await migrationStatus(pool)).toMatchObject({ version: 0, latest, applied: [] })
  const first = await migrate(pool, house.log)
  expect(first).toEqual({ applied: readMigrations().map((migration) => migration.name), version: latest })
  expect(await migrate(pool, house.log)).toEqual({ applied: [], version: latest })
  expect(await migrationStatus(pool)).toMatchObject({ version: latest, latest, pending: [] })
  expect(await locksHeld(pool)).toBe(0)
})

test('the job queue is there after it, and takes a job', async () => {
  await house.pool.query(`select graphile_worker.add_job('migrate.test', '{}')`)
  const found = await house.pool.query<{ n: number }>(
    `select count(*)::int as n from graphile_worker.jobs where task_identifier = 'migrate.test'`,
  )
  expect(found.rows).toEqual([{ n: 1 }])
})

test('of two that race, one migrates and the other finds it done', async () => {
  const one = await freshPool()
  const both = await Promise.all([migrate(one, house.log), migrate(one, house.log)])
  const names = readMigrations().map((migration) => migration.name)
  expect(both.map((result) => result.applied).toSorted((a, b) => b.length - a.length)).toEqual([names, []])
  expect(both.map((result) => result.version)).toEqual([names.length, names.length])
  expect(await locksHeld(one)).toBe(0)
})

test('a later release applies only what is missing', async () => {
  const pool = await freshPool()
  await migrate(pool, house.log, three.slice(0, 2))
  expect((await migrationStatus(pool, three)).pending).toEqual(['000003_step'])
  expect(await migrate(pool, house.log, three)).toEqual({ applied: ['000003_step'], version: 3 })
})

test('a newer schema is refused with both versions', async () => {
  const pool = await freshPool()
  await migrate(pool, house.log, three)
  await expect(migrate(pool, house.log, three.slice(0, 2))).rejects.toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/schema version 3 \(000003_step\).*up to 2 \(000002_step\).*upgrade Turnpike/),
  })
  expect(await locksHeld(pool)).toBe(0)
})

test('a file that changed after it was applied is refused, and so is one that is missing', async () => {
  const pool = await freshPool()
  await migrate(pool, house.log, three)
  const changed = three.map((step) => (step.version === 2 ? { ...step, sha256: 'another' } : step))
  await expect(migrate(pool, house.log, changed)).rejects.toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/000002_step was applied .* is another now.*start with an empty data folder/),
  })
  await pool.query('delete from schema_migration where version = 2')
  await expect(migrate(pool, house.log, three)).rejects.toMatchObject({ code: 'InvalidConfiguration' })
})

test('a migration that fails changes nothing and stops the ones after it', async () => {
  const pool = await freshPool()
  const failing = three.map((step) =>
    step.version === 2 ? { ...step, text: 'create table half (n int); select 1 / 0' } : step,
  )
  await expect(migrate(pool, house.log, failing)).rejects.toThrow(
    /000002_step failed and changed nothing: division by zero/,
  )
  const tables = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  expect(tables.rows.map((row) => row.name)).toEqual(['schema_migration', 'step_1'])
  expect(await locksHeld(pool)).toBe(0)
  expect((await migrate(pool, house.log, three)).applied).toEqual(['000002_step', '000003_step'])
})

test('an old server is refused with its version and the choices', () => {
  expect(() => requireServerVersion(140_011)).toThrow(
    /is PostgreSQL 14\.11; Turnpike needs PostgreSQL 15 or newer\..*DATABASE_URL/,
  )
  expect(() => requireServerVersion(150_000)).not.toThrow()
})
