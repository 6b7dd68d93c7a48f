import { expect, test } from 'vitest'
import { sql } from '../src/database/database.ts'
import { testDatabase } from './database.ts'

test('two test databases know nothing of each other, and a closed one is gone', async () => {
  const [one, other] = await Promise.all([testDatabase(), testDatabase()])
  await one.database.transaction((tx) => tx.run(sql`create table here (n int)`))
  const found = await other.database.read((tx) =>
    tx.first<{ t: string | null }>(sql`select to_regclass('here')::text as t`),
  )
  expect(found).toEqual({ t: null })
  const name = one.address.database
  await one.close()
  const left = await other.pool.query('select 1 from pg_database where datname = $1', [name])
  expect(left.rowCount).toBe(0)
  await other.close()
})

test('its clock stands where it was set', async () => {
  const house = await testDatabase()
  const now = (): Promise<Date> => house.database.transaction((tx) => Promise.resolve(tx.now))
  expect(await now()).toEqual(new Date('2026-06-01T00:00:00Z'))
  await house.setClock(new Date('2026-07-01T12:00:00Z'))
  expect(await now()).toEqual(new Date('2026-07-01T12:00:00Z'))
  await house.close()
})

test('its configuration is the default, changed only where told', async () => {
  const house = await testDatabase({ clock: 'system', config: { approval: 'automatic' } })
  expect(house.config).toMatchObject({
    approval: 'automatic',
    clock: 'system',
    minimumBill: 50n,
    retryDays: [7, 14, 21],
  })
  expect(house.database.clock.kind).toBe('system')
  await house.close()
})
