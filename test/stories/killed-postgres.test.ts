/**
 * PostgreSQL dies (SIGKILL) under a running service while the clock moves. The service says so, starts it again and goes on;
 * when it dies again and again, the service says that and ends, and the next one goes on. The books are those of a
 * database that nobody killed.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Town, until } from '../house.ts'
import { booksBeside, moveUnkilled, prepareBooks, type Moved, type PreparedBooks } from '../prepared-books.ts'
import { DataFolder, isRunning, type ServiceProcess } from '../service-process.ts'

/** Five: after a sixth death in a minute the service gives up, as it should. */
const stops = ['2026-07-01', '2026-07-02', '2026-07-23', '2026-08-02', '2026-09-08'].map((day) => `${day}T12:00:00Z`)

let prepared: PreparedBooks
let unkilled: Moved

beforeAll(async () => {
  prepared = await prepareBooks(12)
  unkilled = await moveUnkilled(prepared, stops)
}, 180_000)
afterAll(() => prepared.remove())

async function ready({ url }: ServiceProcess): Promise<boolean> {
  return await fetch(`${url}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  )
}

/** The postmaster's process, once there is one other than those before. */
async function nextPostmaster(
  folder: DataFolder,
  before: ReadonlySet<number>,
  service: ServiceProcess,
): Promise<number> {
  return await until(async () => {
    if (!isRunning(service.pid)) return 0
    const pid = folder.postgresPid
    return Promise.resolve(pid !== undefined && !before.has(pid) && isRunning(pid) ? pid : undefined)
  }, 'PostgreSQL is started again')
}

describe('PostgreSQL', { timeout: 180_000 }, () => {
  test('killed at every move of the clock is started again, and the move is made', async () => {
    const folder = new DataFolder()
    onTestFinished(() => folder.remove())
    prepared.copyTo(folder.path)
    const service = await folder.serve()
    const town = new Town(service.url, prepared.operator)
    for (const [step, to] of stops.entries()) {
      const killed = await nextPostmaster(folder, new Set(), service)
      const moment = (unkilled.stepMs[step] ?? 0) * ((step + 0.5) / stops.length)
      const timer = setTimeout(() => process.kill(killed, 'SIGKILL'), moment)
      const answer = await town.ask(town.operator, 'POST', '/clock/advance', { to }).catch((error: unknown) => {
        throw new Error(`the service gave no answer; its log ends: ${service.log.slice(-8).join('\n')}`, {
          cause: error,
        })
      })
      clearTimeout(timer)
      if (isRunning(killed)) process.kill(killed, 'SIGKILL')
      // What was under way when the database went is refused, never half done and called done.
      expect([200, 500, 503]).toContain(answer.status)
      await nextPostmaster(folder, new Set([killed]), service)
      await until(async () => ((await ready(service)) ? true : undefined), 'the service is ready again')
      await until(async () => {
        const again = await town.ask(town.operator, 'POST', '/clock/advance', { to })
        return again.status === 200 ? true : undefined
      }, 'the clock is moved')
    }
    const told = service.log.filter((line) => line.includes('PostgreSQL died; it is started again'))
    expect(told).toHaveLength(stops.length)
    expect(await booksBeside(folder)).toEqual(unkilled.books)
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0 })
  })

  test('killed again and again ends the service, which says so; the next one goes on', async () => {
    const folder = new DataFolder()
    onTestFinished(() => folder.remove())
    prepared.copyTo(folder.path)
    const service = await folder.serve()
    const town = new Town(service.url, prepared.operator)
    await town.advance(stops[0] ?? '')
    const moving = town.advance(stops.at(-1) ?? '').catch((error: unknown) => error)
    const killed = new Set<number>()
    for (;;) {
      const pid = await nextPostmaster(folder, killed, service)
      if (pid === 0) break
      killed.add(pid)
      process.kill(pid, 'SIGKILL')
    }
    const { code, stderr } = await service.ended
    expect(code).toBe(1)
    expect(stderr).toContain('the database is gone; the service ends')
    expect(await moving).toBeInstanceOf(Error)

    const next = await folder.serve()
    await new Town(next.url, prepared.operator).advance(stops.at(-1) ?? '')
    expect(await booksBeside(folder)).toEqual(unkilled.books)
    expect(await next.end('SIGTERM')).toMatchObject({ code: 0 })
  })
})
