import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeScratchFolder } from '../../test/scratch-folder.ts'
import { createLog } from '../base/telemetry.ts'
import { nobody, runsAsRoot, giveTo } from './data-folder.ts'
import { attachEmbedded, startEmbedded, type EmbeddedPostgres } from './embedded.ts'
import { connectionOptions, type DatabaseAddress } from './pool.ts'

const log = createLog('silent')
const holderProgram = fileURLToPath(new URL('../../test/hold-embedded.ts', import.meta.url))

let root: string
const running: EmbeddedPostgres[] = []
const children: ChildProcess[] = []

beforeAll(() => {
  root = makeScratchFolder('turnpike-embedded-')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const embedded of running.splice(0)) await embedded.stop()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function start(dataFolder: string): Promise<EmbeddedPostgres> {
  const embedded = await startEmbedded({ dataFolder, log })
  running.push(embedded)
  return embedded
}

async function query<Row extends pg.QueryResultRow>(address: DatabaseAddress, text: string): Promise<Row[]> {
  const client = new pg.Client(connectionOptions(address))
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

interface Told {
  pid: number
  uid: number
  address: DatabaseAddress
  refused?: string
}

/** A service in a process of its own. */
async function startElsewhere(dataFolder: string, mode = 'as-is'): Promise<{ child: ChildProcess; told: Told }> {
  const child = spawn(process.execPath, [holderProgram, dataFolder, mode], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  if (child.stdout === null) throw new Error('the child has no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, told: JSON.parse(line) as Told }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 20) {
    if (await condition()) return
    await delay(20)
  }
  throw new Error('it did not happen in 20 s')
}

function isAlive(pid: number): boolean {
  try {
    // A killed process that its parent has not seen yet is a zombie: gone for all that matters here.
    if (process.platform === 'linux') return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a data folder', () => {
  test('is made at the first start and kept at the next', async () => {
    const folder = join(root, 'kept')
    const first = await start(folder)
    const [settings] = await query<Record<string, string>>(
      first.address,
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('server_encoding') as encoding,
         current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
         current_setting('data_checksums') as checksums, current_setting('TimeZone') as zone,
         (select datlocprovider::text || ':' || datlocale from pg_database where datname = current_database()) as locale`,
    )
    expect(settings).toEqual({
      major: 18,
      encoding: 'UTF8',
      addresses: '',
      fsync: 'on',
      checksums: 'on',
      zone: 'UTC',
      locale: 'b:C.UTF-8',
    })
    expect(statSync(join(folder, 'postgres')).mode & 0o777).toBe(0o700)
    await query(first.address, 'create table kept (word text); insert into kept values ($$first$$)')
    await first.stop()
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)

    const second = await start(folder)
    expect(await query(second.address, 'select word from kept')).toEqual([{ word: 'first' }])
  })

  test('belongs to one process at a time, and the refusal names it', async () => {
    const folder = join(root, 'single')
    const { child, told } = await startElsewhere(folder)
    expect(told.pid).toBeGreaterThan(1)
    await expect(startEmbedded({ dataFolder: folder, log })).rejects.toThrow(
      new RegExp(`in use by the process with pid ${child.pid}\\b.*stop that one first`),
    )
    expect(isAlive(told.pid)).toBe(true)
    expect(await query(told.address, 'select 1 as one')).toEqual([{ one: 1 }])

    child.stdin?.end()
    await once(child, 'exit')
    expect(isAlive(told.pid)).toBe(false)
    const mine = await start(folder)
    const refusal = await startElsewhere(folder)
    expect(refusal.told.refused).toContain(`in use by the process with pid ${process.pid}.`)
    await expect(startEmbedded({ dataFolder: folder, log })).rejects.toThrow(`pid ${process.pid}`)
    expect(await query(mine.address, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('is told to commands beside its service, and to nobody once the service is gone', async () => {
    const folder = join(root, 'attached')
    expect(await attachEmbedded(folder)).toBeUndefined()
    const { child, told } = await startElsewhere(folder)
    const address = await attachEmbedded(folder)
    expect(address).toEqual(told.address)
    expect(await query(address ?? {}, 'select 1 as one')).toEqual([{ one: 1 }])
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await attachEmbedded(folder)).toBeUndefined()
  })

  test('under a path too long for a socket gets a private folder for it, gone after the stop', async () => {
    const folder = join(root, 'long'.repeat(25))
    const embedded = await start(folder)
    const { socketFolder = '' } = embedded.address
    expect(socketFolder.startsWith(folder)).toBe(false)
    expect(statSync(socketFolder).mode & 0o777).toBe(0o700)
    expect(await query(embedded.address, 'select 1 as one')).toEqual([{ one: 1 }])
    await embedded.stop()
    expect(existsSync(socketFolder)).toBe(false)
  })

  test('whose making was interrupted is made anew', async () => {
    const folder = join(root, 'interrupted')
    mkdirSync(join(folder, 'postgres.new', 'base'), { recursive: true })
    writeFileSync(join(folder, 'postgres.new', 'PG_VERSION'), '18\n')
    const embedded = await start(folder)
    expect(await query(embedded.address, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(readdirSync(folder)).not.toContain('postgres.new')
  })
})

describe('kill -9', () => {
  test('of PostgreSQL: it is started again at the same address and nothing committed is lost', async () => {
    const embedded = await start(join(root, 'killed-postgres'))
    await query(embedded.address, 'create table kept as select generate_series(1, 1000) as n')
    const before = embedded.pid
    process.kill(before, 'SIGKILL')
    await until(async () => {
      const answer = await query(embedded.address, 'select 1').catch(() => undefined)
      return answer !== undefined && embedded.pid !== before
    })
    expect(await query(embedded.address, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
  })

  test('of PostgreSQL again and again: after five restarts in a row the service is told that it is gone', async () => {
    const embedded = await start(join(root, 'killed-often'))
    const reasons: Error[] = []
    embedded.onExit((reason) => reasons.push(reason))
    const killed = new Set<number>()
    await until(() => {
      if (!killed.has(embedded.pid)) {
        killed.add(embedded.pid)
        process.kill(embedded.pid, 'SIGKILL')
      }
      return reasons.length > 0
    })
    expect(reasons.map((reason) => reason.message)).toEqual(['PostgreSQL died 6 times in a row'])
    expect(killed.size).toBe(6)
  })

  test('of the service: its PostgreSQL ends by itself and the next service has all that was committed', async () => {
    const folder = join(root, 'killed-service')
    const { child, told } = await startElsewhere(folder)
    await query(told.address, 'create table kept as select generate_series(1, 1000) as n')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await until(() => !isAlive(told.pid))
    const next = await start(folder)
    expect(await query(next.address, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
  })

  test('of the service and its watcher: the next service ends the PostgreSQL left behind before it starts its own', async () => {
    const folder = join(root, 'orphaned')
    const { child, told } = await startElsewhere(folder)
    await query(told.address, 'create table kept as select generate_series(1, 1000) as n')
    process.kill(watcherOf(told.pid), 'SIGKILL')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isAlive(told.pid)).toBe(true)
    expect(await attachEmbedded(folder)).toBeUndefined()
    const next = await start(folder)
    expect(isAlive(told.pid)).toBe(false)
    expect(await query(next.address, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
  })

  test('leaves a pid file; the number of another process in it does no harm', async () => {
    const folder = join(root, 'pid-file')
    const first = await start(folder)
    const file = join(folder, 'postgres', 'postmaster.pid')
    const text = readFileSync(file, 'utf8')
    await first.stop()
    writeFileSync(file, text.replace(/^\d+/, String(process.pid)))
    if (runsAsRoot()) giveTo(nobody(), join(folder, 'postgres'))
    const second = await start(folder)
    expect(await query(second.address, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

/** The shell that watches over a postmaster, found by what it was started with. */
function watcherOf(pid: number): number {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').endsWith(`turnpike-watcher\0${pid}\0`)) return Number(name)
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`no watcher of ${pid}`)
}

describe('the user PostgreSQL runs as', () => {
  const uidOf = (pid: number): number => statSync(`/proc/${pid}`).uid

  test('is never root, also where the folders above are closed to others', async () => {
    const home = join(root, 'closed-home')
    mkdirSync(home, { mode: 0o700 })
    const embedded = await start(join(home, 'data'))
    expect(uidOf(embedded.pid)).not.toBe(0)
    expect(await query(embedded.address, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('is the owner of the data folder, named or not', async () => {
    const folder = join(root, 'owned')
    mkdirSync(folder)
    const uid = runsAsRoot() ? 41_234 : statSync(folder).uid
    if (runsAsRoot()) giveTo({ uid, gid: uid }, folder)
    const embedded = await start(folder)
    expect(uidOf(embedded.pid)).toBe(uid)
    expect(statSync(join(folder, 'postgres', 'base')).uid).toBe(uid)
  })

  test('is the one we run as when we are not root', async () => {
    const folder = join(root, 'unprivileged')
    mkdirSync(folder)
    if (runsAsRoot()) giveTo(nobody(), folder)
    // A folder of mkdtemp is closed to others.
    chmodSync(root, 0o711)
    const { told } = await startElsewhere(folder, 'unprivileged')
    expect(told.refused).toBeUndefined()
    expect(told.uid).not.toBe(0)
    expect(uidOf(told.pid)).toBe(told.uid)
    expect(await query(told.address, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})
