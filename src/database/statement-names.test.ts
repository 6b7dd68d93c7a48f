import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { sql } from './database.ts'
import { StatementNames } from './statement-names.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

test('a text has a name from its second use on, always the same, and another text another', () => {
  const [one, other] = [new StatementNames(), new StatementNames()]
  expect(one.nameOf('select 1')).toBeUndefined()
  const name = one.nameOf('select 1')
  expect(name).toMatch(/^[\w-]{22}$/)
  expect(one.nameOf('select 1')).toBe(name)
  other.nameOf('select 1')
  expect(other.nameOf('select 1')).toBe(name)
  one.nameOf('select 2')
  expect(one.nameOf('select 2')).not.toBe(name)
})

test('texts that never come again take no place, and no more are named than connections should keep', () => {
  const names = new StatementNames(3)
  for (let index = 0; index < 100; index += 1) expect(names.nameOf(`select ${index}`)).toBeUndefined()
  for (let index = 0; index < 10; index += 1) {
    names.nameOf(`select 'twice ${index}'`)
    names.nameOf(`select 'twice ${index}'`)
  }
  const named = Array.from({ length: 10 }, (_, index) => names.nameOf(`select 'twice ${index}'`)).filter(Boolean)
  expect(named).toHaveLength(3)
})

test('statements of transactions are prepared on their connection, and give the same however often they are used', async () => {
  const ask = (number: number) =>
    house.database.transaction((tx) => tx.one<{ sum: number }>(sql`select ${number}::int + 1 as sum`))
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) expect(await ask(number)).toEqual({ sum: number + 1 })
  const prepared = await house.pool.query(
    `select 1 from pg_prepared_statements where statement like '%::int + 1 as sum'`,
  )
  expect(prepared.rowCount).toBe(1)
})

test('a statement whose columns were changed under it by a migration is prepared again', async () => {
  await house.pool.query('create table grown (a int)')
  await house.pool.query('insert into grown values (1)')
  const ask = () => house.database.transaction((tx) => tx.rows(sql`select * from grown`))
  for (let times = 0; times < 3; times += 1) expect(await ask()).toEqual([{ a: 1 }])
  await house.pool.query('alter table grown add b int')
  expect(await ask()).toEqual([{ a: 1, b: null }])
  expect(await house.database.read((tx) => tx.rows(sql`select * from grown`))).toEqual([{ a: 1, b: null }])
})
