import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { addDays } from '../base/time.ts'
import { advanceClock, runDue, type DueWork, type Step } from './schedule.ts'

let house: TestDatabase
const start = new Date('2026-06-01T00:00:00Z')

beforeAll(async () => {
  house = await testDatabase({ clock: start })
})
afterAll(() => house.close())
beforeEach(() => house.setClock(start))

const nothing = (): Promise<void> => Promise.resolve()

/** Work due at the given instants; notes the clock each time it runs. */
function planned(name: string, instants: Date[], ran: string[]): DueWork {
  return {
    name,
    next: () => Promise.resolve(instants[0]),
    async run() {
      const now = await house.database.read((tx) => Promise.resolve(tx.now))
      while (instants[0] !== undefined && instants[0] <= now) instants.shift()
      ran.push(`${name} ${now.toISOString().slice(0, 10)}`)
    },
  }
}

test('everything due on the way happens in order of its instant, at that instant', async () => {
  const ran: string[] = []
  const steps: Step[] = []
  const kinds = [
    planned('b', [addDays(start, 2), addDays(start, 9)], ran),
    planned('a', [addDays(start, 1), addDays(start, 2), addDays(start, 40)], ran),
  ]
  await advanceClock(house.database, kinds, addDays(start, 10), nothing, (step) => steps.push(step))
  expect(ran).toEqual(['a 2026-06-02', 'b 2026-06-03', 'a 2026-06-03', 'b 2026-06-10'])
  expect(steps.at(-1)).toEqual({ at: addDays(start, 10), name: 'clock' })
})

test('what one step plans inside the span happens within the same advance', async () => {
  const ran: string[] = []
  const later: Date[] = []
  const first = planned('first', [addDays(start, 1)], ran)
  const run = async (): Promise<void> => {
    later.push(addDays(start, 3))
    await first.run()
  }
  const planning: DueWork = { ...first, run }
  await advanceClock(house.database, [planning, planned('second', later, ran)], addDays(start, 5), nothing)
  expect(ran).toEqual(['first 2026-06-02', 'second 2026-06-04'])
})

test('the clock does not go back', async () => {
  await expect(advanceClock(house.database, [], addDays(start, -1), nothing)).rejects.toThrow('only goes forward')
})

test('overdue work happens at the present instant', async () => {
  const ran: string[] = []
  await advanceClock(house.database, [planned('late', [addDays(start, -3)], ran)], addDays(start, 1), nothing)
  expect(ran).toEqual(['late 2026-06-01'])
})

test('work that stays due stops the advance with its name instead of spinning', async () => {
  const stuck: DueWork = { name: 'stuck', next: () => Promise.resolve(start), run: nothing }
  await expect(advanceClock(house.database, [stuck], addDays(start, 1), nothing)).rejects.toThrow('stuck is still due')
  await runDue(house.database, [stuck])
})

test('two advances at once do not interleave', async () => {
  const ran: string[] = []
  const kinds = [planned('a', [addDays(start, 1), addDays(start, 2), addDays(start, 3)], ran)]
  await Promise.allSettled([
    advanceClock(house.database, kinds, addDays(start, 3), nothing),
    advanceClock(house.database, kinds, addDays(start, 3), nothing),
  ])
  expect(ran).toEqual(['a 2026-06-02', 'a 2026-06-03', 'a 2026-06-04'])
})
