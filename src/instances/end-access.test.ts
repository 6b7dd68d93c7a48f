import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { advanceAll, callerOf, launch, newPaidImage, region, subscribe } from '../../test/machines.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { addMs, hourMs } from '../base/time.ts'
import { sql } from '../database/database.ts'
import type { EndOfAccessPolicy } from '../products/products.ts'
import { endSubscription } from '../subscriptions/end-subscription.ts'
import { describeInstances } from './describe-instances.ts'
import { endAccess, endOfAccessDue } from './end-access.ts'
import { stopInstances } from './stop-instances.ts'

let house: TestDatabase
let now = new Date('2026-06-01T00:00:00Z')
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

async function buyerOf(endOfAccessPolicy: EndOfAccessPolicy, count: number) {
  const { product } = await newProduct(house.database, { endOfAccessPolicy })
  const image = await newPaidImage(house.database, product)
  const accountId = await newAccount(house.database)
  const subscriptionId = await subscribe(house.database, accountId, product)
  const { instances } = await launch(house.database, accountId, image.imageId, { minCount: count, maxCount: count })
  await advanceAll(house.database)
  return { product, image, accountId, subscriptionId, ids: instances.map(({ instanceId }) => instanceId) }
}

async function cancel(of: { accountId: string; subscriptionId: string }): Promise<void> {
  await house.database.transaction((tx) => endSubscription(tx, { ...of, reason: 'cancelled-by-buyer' }))
}

async function statesOf(accountId: string): Promise<string[]> {
  const { reservations } = await house.database.read((tx) =>
    describeInstances(tx, { caller: callerOf(accountId), region }),
  )
  return reservations.flatMap(({ instances }) => instances).map(({ state }) => state)
}

async function dueOf(of: { accountId: string; subscriptionId: string }): Promise<Date | null> {
  const { at } = await house.database.read((tx) =>
    tx.one<{ at: Date | null }>(sql`select end_of_access_due_at as at from subscription
      where account_id = ${of.accountId} and subscription_id = ${of.subscriptionId}`),
  )
  return at
}

test('instances are stopped after the grace period, shown why, and nothing is due any more', async () => {
  const buyer = await buyerOf('stop', 3)
  await cancel(buyer)
  const due = endOfAccessDue(house.database)
  expect(await due.next()).toEqual(addMs(now, hourMs))
  await due.run()
  expect(await statesOf(buyer.accountId)).toEqual(['running', 'running', 'running'])
  await house.setClock((now = addMs(now, hourMs)))
  await due.run()
  expect(await statesOf(buyer.accountId)).toEqual(['stopping', 'stopping', 'stopping'])
  expect(await due.next()).toBeUndefined()
  await advanceAll(house.database)
  const { reservations } = await house.database.read((tx) =>
    describeInstances(tx, { caller: callerOf(buyer.accountId), region }),
  )
  for (const instance of reservations[0]?.instances ?? []) {
    expect(instance).toMatchObject({ state: 'stopped', stateReason: { code: 'Server.SubscriptionEnded' } })
    expect(instance.stateTransitionReason).toMatch(/^Service initiated/)
  }
  const actors = await house.database.read((tx) =>
    tx.rows<{ actor: string }>(sql`select distinct actor from instance_transition
      where account_id = ${buyer.accountId} and to_state = 'stopping'`),
  )
  expect(actors).toEqual([{ actor: 'system' }])
  const open = await house.database.read((tx) =>
    tx.one(
      sql`select count(*)::int as open from instance_run where account_id = ${buyer.accountId} and ended_at is null`,
    ),
  )
  expect(open).toEqual({ open: 0 })
})

test('termination takes stopped instances too; what already went is left alone', async () => {
  const buyer = await buyerOf('terminate', 3)
  const request = { accountId: buyer.accountId, instanceIds: buyer.ids.slice(0, 1), actor: buyer.accountId }
  await house.database.transaction((tx) => stopInstances(tx, request))
  await advanceAll(house.database)
  await cancel(buyer)
  await house.setClock((now = addMs(now, hourMs)))
  await endOfAccessDue(house.database).run()
  expect(new Set(await statesOf(buyer.accountId))).toEqual(new Set(['shutting-down']))
})

test('leave-running leaves them running and is never due', async () => {
  const buyer = await buyerOf('leave-running', 1)
  await cancel(buyer)
  expect(await dueOf(buyer)).toBeNull()
  await house.setClock((now = addMs(now, 2 * hourMs)))
  await endOfAccessDue(house.database).run()
  expect(await statesOf(buyer.accountId)).toEqual(['running'])
})

test('a machine that never came up does not hold the policy up', async () => {
  const buyer = await buyerOf('stop', 1)
  await launch(house.database, buyer.accountId, buyer.image.imageId)
  await cancel(buyer)
  await house.setClock((now = addMs(now, hourMs)))
  await endOfAccessDue(house.database).run()
  expect(await statesOf(buyer.accountId)).toEqual(['stopping', 'stopping'])
  expect(await dueOf(buyer)).toBeNull()
})

test('done twice, or by two at once, it is done once; other subscriptions are not touched', async () => {
  const buyer = await buyerOf('stop', 2)
  const other = await buyerOf('stop', 1)
  await cancel(buyer)
  const dueAt = await dueOf(buyer)
  await house.setClock((now = addMs(now, hourMs)))
  const end = { ...buyer, productCode: buyer.product.productCode, dueAt: dueAt ?? now }
  await Promise.all([
    endAccess(house.database, end),
    endAccess(house.database, end),
    endOfAccessDue(house.database).run(),
  ])
  await endAccess(house.database, end)
  expect(await statesOf(buyer.accountId)).toEqual(['stopping', 'stopping'])
  const { count } = await house.database.read((tx) =>
    tx.one<{ count: number }>(sql`select count(*)::int as count from instance_transition
      where account_id = ${buyer.accountId} and to_state = 'stopping'`),
  )
  expect(count).toBe(2)
  expect(await statesOf(other.accountId)).toEqual(['running'])
})
