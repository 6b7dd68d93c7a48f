import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { at, hoursOf, signUp, writeProduct, writeRun, type TestSubscription } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { monthPeriod } from '../base/period.ts'
import { addMs, hourMs } from '../base/time.ts'
import { sql } from '../database/database.ts'
import { countUsage } from './count-usage.ts'
import { hoursBegun, type Run } from './hours-begun.ts'
import { cutPeriod } from './metering.ts'

let house: TestDatabase
let subscription: TestSubscription
const june = monthPeriod('2026-06')

beforeAll(async () => {
  house = await testDatabase()
  subscription = await at(house, '2026-05-20', async (tx) => await signUp(tx, await writeProduct(tx, {})))
})
afterAll(() => house.close())

const ms = fc.oneof(
  fc.integer({ min: 0, max: 40 * 24 * hourMs }),
  fc.integer({ min: 0, max: 40 * 24 }).map((hours) => hours * hourMs),
)
const anyRun = fc
  .record({
    offset: ms,
    length: fc.option(ms, { nil: undefined }),
    instanceType: fc.constantFrom('m1.small', 'm1.large'),
  })
  .map(({ offset, length, instanceType }) => {
    const startedAt = addMs(new Date('2026-05-28T00:00:00Z'), offset)
    return { startedAt, endedAt: length === undefined ? undefined : addMs(startedAt, length), instanceType }
  })

describe('countUsage', () => {
  it('counts as hoursBegun does, for any runs and any cuts of the month', async () => {
    const { accountId, subscriptionId, product } = subscription
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRun, { minLength: 1, maxLength: 8 }),
        fc.array(ms, { maxLength: 3 }),
        async (runs, cuts) => {
          const parts = cutPeriod(
            june,
            cuts.map((cut) => addMs(june.start, cut)),
          )
          const counted = await house.database.transaction(async (tx) => {
            await tx.run(sql`delete from instance_run where account_id = ${accountId}`)
            for (const run of runs) await writeRun(tx, subscription, run)
            const segments = parts.map((part) => ({ ...part, productCode: product.productCode }))
            return await countUsage(tx, { accountIds: [accountId], segments })
          })
          const expected = parts.flatMap((part) =>
            ['m1.large', 'm1.small'].flatMap((instanceType) => {
              const ofType: Run[] = runs.filter((run) => run.instanceType === instanceType)
              const quantity = ofType.reduce((sum, run) => sum + hoursBegun(run, part), 0n)
              return quantity === 0n ? [] : [`${hoursOf(instanceType)} ${part.start.toISOString()} ${quantity}`]
            }),
          )
          const found = counted.map((row) => `${row.dimension} ${row.periodStart.toISOString()} ${row.quantity}`)
          expect(found.toSorted()).toEqual(expected.toSorted())
          expect(counted.filter((row) => row.subscriptionId !== subscriptionId)).toEqual([])
        },
      ),
      { numRuns: 60 },
    )
  })

  it('counts nothing for no accounts, for no subscriptions, and for runs without a subscription', async () => {
    const { accountId, subscriptionId, product } = subscription
    const segments = [{ ...june, productCode: product.productCode }]
    await house.database.transaction(async (tx) => {
      await tx.run(sql`delete from instance_run where account_id = ${accountId}`)
      await writeRun(tx, subscription, { instanceType: 'm1.small', startedAt: june.start, endedAt: june.start })
      const count = async (of: { accountIds: string[]; subscriptionIds?: string[] }): Promise<number> =>
        (await countUsage(tx, { ...of, segments })).length
      expect(await count({ accountIds: [accountId] })).toBe(1)
      expect(await count({ accountIds: [accountId], subscriptionIds: [subscriptionId] })).toBe(1)
      expect(await count({ accountIds: [] })).toBe(0)
      expect(await count({ accountIds: [accountId], subscriptionIds: [] })).toBe(0)
      await tx.run(sql`update instance_run set subscription_id = null where account_id = ${accountId}`)
      expect(await count({ accountIds: [accountId] })).toBe(0)
    })
  })
})
