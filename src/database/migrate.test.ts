import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { migrate, migrationStatus, readMigrations } from './migrate.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

test('a migrated database is migrated again to no effect', async () => {
  const latest = readMigrations().length
  expect(await migrate(house.pool, house.log)).toEqual({ applied: [], version: latest })
  expect(await migrationStatus(house.pool)).toMatchObject({ version: latest, latest, pending: [] })
})
