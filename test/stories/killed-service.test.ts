/**
 * Half a year of a service that is killed (SIGKILL) again and again while the clock moves: in month closes, collections,
 * retries, ends of access, settlements and payouts. It is started again each time and the clock moved to where it was
 * to be. In the end the books are those of a service that nobody killed.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Town } from '../house.ts'
import { booksBeside, moveUnkilled, prepareBooks, type Moved, type PreparedBooks } from '../prepared-books.ts'
import { DataFolder } from '../service-process.ts'

/** Where the clock is moved to, one after the other; months end, charges are retried, Mondays come. */
const stops = [
  '2026-06-16',
  '2026-07-01',
  '2026-07-02',
  '2026-07-07',
  '2026-07-09',
  '2026-07-22',
  '2026-08-01',
  '2026-08-02',
  '2026-08-04',
  '2026-09-01',
  '2026-09-08',
  '2026-11-01',
].map((day) => `${day}T12:00:00Z`)

let prepared: PreparedBooks
let unkilled: Moved

beforeAll(async () => {
  prepared = await prepareBooks(18)
  unkilled = await moveUnkilled(prepared, stops)
}, 180_000)
afterAll(() => prepared.remove())

describe('a service', () => {
  test('killed at every move of its clock comes to the same books', { timeout: 300_000 }, async () => {
    const folder = new DataFolder()
    onTestFinished(() => folder.remove())
    prepared.copyTo(folder.path)
    let service = await folder.serve()
    let interrupted = 0
    for (const [step, to] of stops.entries()) {
      const { url, end } = service
      // From the first work of a move to its last.
      const share = ((step * 5) % stops.length) / stops.length
      const timer = setTimeout(() => void end('SIGKILL'), (unkilled.stepMs[step] ?? 0) * share)
      const moved = await new Town(url, prepared.operator).advance(to).then(
        () => true,
        () => false,
      )
      clearTimeout(timer)
      if (!moved) interrupted += 1
      expect((await end('SIGKILL')).signal).toBe('SIGKILL')
      service = await folder.serve()
      await new Town(service.url, prepared.operator).advance(to)
    }
    expect(await booksBeside(folder)).toEqual(unkilled.books)
    expect(interrupted).toBeGreaterThanOrEqual(stops.length / 3)
    expect(await service.end('SIGTERM')).toMatchObject({ code: 0, signal: null })
  })
})
