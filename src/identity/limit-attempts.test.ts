import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { limitAttempts, networkOf } from './limit-attempts.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

test('a subject has its attempts, at all servers together, and again when the window is over', async () => {
  const servers = [limitAttempts(house.database), limitAttempts(house.database)]
  const attempts = Array.from(
    { length: 20 },
    async (_, index) => await servers[index % 2]?.take('sign-in', 'anna@example.com', `10.0.0.${index}`),
  )
  const refused = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(5)
  for (const result of refused) expect(result).toMatchObject({ reason: { code: 'LimitExceeded' } })
  await servers[0]?.take('sign-in', 'other@example.com', '10.0.0.1')
  await servers[0]?.take('sign-up', 'anna@example.com', '10.0.0.1')

  await house.pool.query(`update identity.attempt set ends_at = now() - interval '1 second'`)
  await servers[1]?.take('sign-in', 'anna@example.com', '10.0.0.1')
  const { rows } = await house.pool.query<{ keys: bigint }>('select count(*) as keys from identity.attempt')
  expect(rows[0]?.keys, 'what is over is cleared away').toBeLessThan(23n)
})

test('a network has its attempts, over all the addresses it tries', async () => {
  const limit = limitAttempts(house.database)
  const take = (index: number) => limit.take('sign-up', `${index}@example.com`, `2001:db8:0:7::${index.toString(16)}`)
  for (let index = 0; index < 30; index += 1) await take(index)
  await expect(take(30)).rejects.toMatchObject({ code: 'LimitExceeded' })
  await limit.take('sign-up', '31@example.com', '2001:db8:0:8::1')
})

test('a success clears what failures counted; no address is kept in the clear', async () => {
  const limit = limitAttempts(house.database)
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 15; index += 1) await limit.take('sign-in', 'clear@example.com', undefined)
    await limit.clear('sign-in', 'clear@example.com')
  }
  await limit.take('sign-in', 'clear@example.com', undefined)
  const { rows } = await house.pool.query<{ key: string }>('select key from identity.attempt')
  expect(rows.length).toBeGreaterThan(0)
  expect(rows.filter(({ key }) => key.includes('@'))).toEqual([])
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
])('the network of %s is %s', (address, network) => expect(networkOf(address)).toBe(network))
