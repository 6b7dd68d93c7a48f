import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeScratchFolder } from '../../test/scratch-folder.ts'
import {
  defaultConfig,
  emptyDatabase,
  testDatabase,
  type EmptyDatabase,
  type TestDatabase,
} from '../../test/database.ts'
import type { Config } from '../base/config.ts'
import { createLog } from '../base/telemetry.ts'
import { sql } from './database.ts'
import { startEmbedded } from './embedded.ts'
import { openDatabase, type OpenedDatabase, type OpenOptions } from './open.ts'

let house: TestDatabase
let root: string
const opened: OpenedDatabase[] = []
const empties: EmptyDatabase[] = []

beforeAll(async () => {
  root = makeScratchFolder('turnpike-open-')
  house = await testDatabase({ clock: 'system' })
})
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close()
  for (const empty of empties.splice(0)) await empty.close()
})
afterAll(async () => {
  await house.close()
  rmSync(root, { recursive: true, force: true })
})

async function open(config: Config, options: OpenOptions = {}): Promise<OpenedDatabase> {
  const one = await openDatabase(config, house.log, options)
  opened.push(one)
  return one
}

/** The configuration of a database of the operator's own, empty or migrated. */
async function freshUrl(changes: Partial<Config> = {}): Promise<Config> {
  const empty = await emptyDatabase()
  empties.push(empty)
  return { ...house.config, databaseUrl: empty.url, ...changes }
}

test('a plain DATABASE_URL is migrated and used', async () => {
  const { database } = await open(await freshUrl())
  const beforeMs = Date.now()
  const { now, zone, big } = await database.transaction(async (tx) => ({
    now: tx.now,
    ...(await tx.one<{ zone: string; big: bigint }>(
      sql`select current_setting('TimeZone') as zone, 9007199254740993::int8 as big`,
    )),
  }))
  expect(now.getTime()).toBeGreaterThanOrEqual(beforeMs)
  expect({ zone, big }).toEqual({ zone: 'UTC', big: 9007199254740993n })
  expect(database.sealer.open(database.sealer.seal('word', 'context'), 'context')).toBe('word')
})

test('a DATABASE_URL that leads nowhere is refused without showing its password', async () => {
  const config = { ...house.config, databaseUrl: 'postgres://someone:very-secret@127.0.0.1:1/turnpike' }
  const refusal = await openDatabase(config, house.log).catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/\(postgres:\/\/…@127\.0\.0\.1:1\/turnpike\) cannot be used: .*ECONNREFUSED/),
  })
  expect(String(refusal)).not.toContain('very-secret')
})

test('a manual clock starts at the present second and stands still', async () => {
  const config = await freshUrl({ clock: 'manual' })
  const { database } = await open(config)
  const first = await database.transaction((tx) => Promise.resolve(tx.now))
  expect(first.getMilliseconds()).toBe(0)
  expect(Math.abs(Date.now() - first.getTime())).toBeLessThan(60_000)
  const again = await open(config)
  expect(await again.database.transaction((tx) => Promise.resolve(tx.now))).toEqual(first)
})

test('a database on a manual clock refuses a service on the system clock, and commands follow it', async () => {
  const config = await freshUrl({ clock: 'manual' })
  await open(config)
  const other: Config = { ...config, clock: 'system' }
  await expect(openDatabase(other, house.log)).rejects.toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/lives on a manual clock, which stands at \d{4}-.*Start with --clock manual/),
  })
  const command = await open(other, { exclusive: false })
  expect(command.database.clock.kind).toBe('manual')
})

test('a database in which something was sold in real time is not put on a manual clock', async () => {
  const config = await freshUrl()
  const { database } = await open(config)
  const manual: Config = { ...config, clock: 'manual' }
  await database.pool.query(
    `insert into transfer (account_id, transfer_id, kind, reference, debit, credit, amount, currency, at)
       values ('100000000001', gen_random_uuid(), 'paid', 'invoice/1', 'processor', 'receivable', 100, 'USD', now())`,
  )
  await expect(openDatabase(manual, house.log)).rejects.toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringContaining('Start without --clock manual'),
  })
  expect((await open(config)).database.clock.kind).toBe('system')
})

test('a database opened with another master key is refused at the start, and unharmed', async () => {
  const config = await freshUrl()
  await open(config)
  const other: Config = { ...config, masterKey: Buffer.alloc(32, 8).toString('base64') }
  const refusal = await openDatabase(other, house.log).catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/sealed with another master key than the key in TURNPIKE_MASTER_KEY/),
  })
  expect(String(refusal)).not.toContain(other.masterKey)
  const command = await openDatabase(other, house.log, { exclusive: false }).catch((error: unknown) => error)
  expect(command).toMatchObject({ code: 'InvalidConfiguration' })
  const again = await open(config)
  expect(await again.database.read((tx) => tx.one(sql`select count(*)::int as keys from master_key`))).toEqual({
    keys: 1,
  })
})

test('a data folder whose key file was lost is refused until it is put back', async () => {
  const config: Config = { ...defaultConfig(), dataFolder: join(root, 'lost-key') }
  await (await openDatabase(config, house.log)).close()
  const path = join(config.dataFolder, 'master.key')
  const kept = readFileSync(path)
  rmSync(path)
  await expect(openDatabase(config, house.log)).rejects.toThrow(`another master key than the key in ${path}`)
  writeFileSync(path, kept)
  await open(config)
})

test('the embedded database serves one service, with commands beside it', async () => {
  const config: Config = { ...defaultConfig(), dataFolder: join(root, 'service') }
  const service = await open(config)
  await service.database.transaction((tx) => tx.run(sql`create table kept (n int)`))
  await expect(openDatabase(config, house.log)).rejects.toThrow(`in use by the process with pid ${process.pid}`)

  const command = await open({ ...config, clock: 'manual' }, { exclusive: false })
  expect(command.address).toEqual(service.address)
  // Beside a running service a command never stops its clock.
  expect(command.database.clock.kind).toBe('system')
  await command.database.transaction((tx) => tx.run(sql`insert into kept values (1)`))
  await command.close()
  const seen = await service.database.read((tx) => tx.rows(sql`select n from kept`))
  expect(seen).toEqual([{ n: 1 }])
})

test('a stop is quiet: no connection is left for PostgreSQL to break', async () => {
  const lines: string[] = []
  const log = createLog('warn', { write: (line) => void lines.push(line) })
  const one = await openDatabase({ ...defaultConfig(), dataFolder: join(root, 'quiet') }, log)
  await Promise.all([1, 2, 3, 4].map((n) => one.database.read((tx) => tx.one(sql`select pg_sleep(0.05), ${n}::int`))))
  await one.close()
  expect(lines).toEqual([])
})

test('a command without a service starts the database, and a second one uses it until it is done', async () => {
  const config: Config = { ...defaultConfig(), dataFolder: join(root, 'commands') }
  const [first, second] = await Promise.all([open(config, { exclusive: false }), open(config, { exclusive: false })])
  expect(first.address).toEqual(second.address)
  const done: string[] = []
  const closing = first.close().then(() => done.push('first'))
  expect(await second.database.read((tx) => tx.one(sql`select 1 as one`))).toEqual({ one: 1 })
  await second.close().then(() => done.push('second'))
  await closing
  expect(done.toSorted()).toEqual(['first', 'second'])
  opened.length = 0
  const service = await open(config)
  expect(await service.database.read((tx) => tx.one(sql`select 1 as one`))).toEqual({ one: 1 })
})

test('an embedded cluster answers at a URL of its socket folder too', async () => {
  const dataFolder = join(root, 'by-url')
  const embedded = await startEmbedded({ dataFolder, log: house.log, fast: true })
  try {
    const folder = encodeURIComponent(embedded.address.socketFolder ?? '')
    const config = { ...house.config, databaseUrl: `postgres://turnpike@/turnpike?host=${folder}` }
    const { database } = await open(config)
    const row = await database.read((tx) => tx.one(sql`select current_database() as name, current_user as person`))
    expect(row).toEqual({ name: 'turnpike', person: 'turnpike' })
    for (const one of opened.splice(0)) await one.close()
  } finally {
    await embedded.stop()
  }
})

test('a data folder left by a killed process opens with everything committed', async () => {
  const dataFolder = join(root, 'killed')
  const program = fileURLToPath(new URL('../../test/hold-embedded.ts', import.meta.url))
  const child = spawn(process.execPath, [program, dataFolder], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(createInterface({ input: child.stdout }), 'line')
  const config: Config = { ...defaultConfig(), dataFolder }
  const command = await open(config, { exclusive: false })
  await command.database.transaction((tx) => tx.run(sql`create table kept as select 1 as n`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  for (const one of opened.splice(0)) await one.close()

  const { database } = await open(config)
  expect(await database.read((tx) => tx.rows(sql`select n from kept`))).toEqual([{ n: 1 }])
})
