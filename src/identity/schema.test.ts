import { getMigrations } from 'better-auth/db/migration'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { configure, identityPool } from './sessions.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

test('nothing that better-auth asks for is missing from our tables', async () => {
  const pool = identityPool(house.database)
  try {
    const { options } = configure(house.database, pool)
    const { toBeCreated, toBeAdded, unsafeChanges } = await getMigrations(options)
    expect({ toBeCreated, toBeAdded, unsafeChanges }).toEqual({ toBeCreated: [], toBeAdded: [], unsafeChanges: [] })
  } finally {
    await pool.end()
  }
})
