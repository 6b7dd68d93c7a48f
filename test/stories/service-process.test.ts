/** The service as a process: it has its data folder for itself, says what keeps it from starting, and ends when told to. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataFolder, runCommand, type ServiceProcess } from '../service-process.ts'

let folder: DataFolder
let service: ServiceProcess

beforeAll(async () => {
  folder = new DataFolder({ TURNPIKE_CLOCK_START: '2026-06-01T00:00:00Z' })
  service = await folder.serve()
}, 60_000)
afterAll(() => folder.remove())

describe.sequential('a service that runs', { timeout: 90_000 }, () => {
  test('answers that it lives and is ready', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(service.url + path)).status).toBe(200)
  })

  test('keeps a second one off its data folder, which says by whom it is used', async () => {
    const second = await runCommand(['serve', '--data-folder', folder.path, '--port', '0', '--clock', 'manual'])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`is in use by the process with pid ${service.pid}`)
    expect(second.stderr).not.toContain('    at ')
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
  })

  test('lets commands work beside it', async () => {
    const email = 'beside@example.com'
    const words = ['account', 'create', '--email', email, '--password', 'correct horse battery', '--operator', '--json']
    const made = await runCommand([...words, '--data-folder', folder.path])
    expect([made.code, made.stderr]).toEqual([0, ''])
    const { accessKeyId, secretAccessKey } = JSON.parse(made.stdout) as Record<string, string>
    const authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}`
    const me = (await (await fetch(`${service.url}/api/v1/account`, { headers: { authorization } })).json()) as object
    expect(me).toMatchObject({ email, operator: true })
    const moved = await runCommand(['clock', 'advance', '+36h', '--data-folder', folder.path])
    expect([moved.code, moved.stderr]).toEqual([0, ''])
    const clock = await fetch(`${service.url}/api/v1/clock`, { headers: { authorization } })
    expect(await clock.json()).toEqual({ kind: 'manual', now: '2026-06-02T12:00:00.000Z' })
    const proven = await runCommand(['prove', '--data-folder', folder.path])
    expect([proven.code, proven.stdout]).toEqual([0, expect.stringContaining('The books are proven') as string])
  })

  test('ends within seconds on SIGTERM, with everything it started', async () => {
    const postgres = folder.postgresPid
    const began = performance.now()
    const { code, signal, stderr } = await service.end('SIGTERM')
    expect([code, signal]).toEqual([0, null])
    expect(performance.now() - began).toBeLessThan(15_000)
    const levels = stderr
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as { level: number }] : []))
    expect(levels.filter(({ level }) => level >= 50)).toEqual([])
    expect(postgres).toBeGreaterThan(0)
    expect(() => process.kill(postgres ?? 0, 0)).toThrow('ESRCH')
    // Ended in order: nothing is left for the next one to recover from.
    service = await folder.serve()
    expect((await service.end('SIGINT')).code).toBe(0)
  })
})

describe('a service that cannot start says why, and leaves things as they are', { timeout: 60_000 }, () => {
  const serve = (words: readonly string[], given: Readonly<Record<string, string>> = {}) =>
    runCommand(['serve', '--port', '0', ...words], given)
  let scratch: DataFolder
  beforeAll(() => {
    scratch = new DataFolder()
    mkdirSync(scratch.path)
  })
  afterAll(() => scratch.remove())

  test('a file where the data folder should be', async () => {
    const file = join(scratch.path, 'file')
    writeFileSync(file, 'mine')
    const { code, stderr } = await serve(['--data-folder', file])
    expect([code, stderr]).toEqual([1, expect.stringContaining(file) as string])
    expect(stderr).not.toContain('    at ')
  })

  test("a folder that holds someone else's files", async () => {
    const other = join(scratch.path, 'photos')
    mkdirSync(other)
    writeFileSync(join(other, 'holiday.jpg'), 'sea')
    chmodSync(other, 0o755)
    const { code, stderr } = await serve(['--data-folder', other])
    expect([code, stderr]).toEqual([1, expect.stringContaining('holiday.jpg') as string])
  })

  test('a manual clock where the database lives on the machine’s, and the other way round', async () => {
    const { code, stderr } = await serve(['--data-folder', folder.path, '--clock', 'system'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('--clock manual') as string])
  })

  test('a port that is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const data = join(scratch.path, 'data')
    const { code, stderr } = await runCommand(['serve', '--data-folder', data, '--port', String(port)])
    other.close()
    expect([code, stderr]).toEqual([1, expect.stringContaining(String(port)) as string])
    expect(stderr).not.toContain('    at ')
  })

  test('a database that is not there', async () => {
    const { code, stderr } = await serve([], {
      DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/nowhere',
      TURNPIKE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    })
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be used') as string])
    expect(stderr).not.toContain('hunter2')
  })

  test.each([
    [{ TURNPIKE_CLOK: 'manual' }, 'TURNPIKE_CLOK'],
    [{ TURNPIKE_MINIMUM_BILL: 'little' }, 'TURNPIKE_MINIMUM_BILL'],
    [{ TURNPIKE_MASTER_KEY: 'short' }, 'TURNPIKE_MASTER_KEY'],
    [{ TURNPIKE_RATE_CARD: '/nowhere/card.json' }, '/nowhere/card.json'],
  ])('a configuration with %j', async (given, named) => {
    const { code, stderr } = await serve(['--data-folder', join(scratch.path, 'configured')], given)
    expect([code, stderr]).toEqual([1, expect.stringContaining(named) as string])
    expect(stderr).not.toContain('    at ')
  })
})
