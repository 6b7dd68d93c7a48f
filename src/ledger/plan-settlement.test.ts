import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { planSettlement } from './plan-settlement.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

it('plans the next UTC day once, and never postpones a plan that stands', async () => {
  const subject = { accountId: '200000000001', productCode: '774F4FF8', month: '2026-06' } as const
  const plan = (): Promise<void> => house.database.transaction((tx) => planSettlement(tx, [subject, subject]))
  await house.setClock(new Date('2026-07-01T00:00:00Z'))
  await plan()
  await house.setClock(new Date('2026-07-01T23:59:59Z'))
  await plan()
  await house.setClock(new Date('2026-07-02T09:00:00Z'))
  await plan()
  const { rows } = await house.pool.query('select account_id, product_code, month, due_at from settlement_due')
  expect(rows).toEqual([
    {
      account_id: '200000000001',
      product_code: '774F4FF8',
      month: '2026-06',
      due_at: new Date('2026-07-02T00:00:00Z'),
    },
  ])
})
