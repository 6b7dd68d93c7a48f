import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestHouse, until, type Person, type TestHouse } from '../../../test/house.ts'

let house: TestHouse

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-03T09:00:00Z') })
})
afterAll(() => house.close())

async function scrape(who?: Person): Promise<{ status: number; text: string }> {
  const authorization = who && `Basic ${btoa(`${who.accessKeyId}:${who.secretAccessKey}`)}`
  const answer = await fetch(`${house.service.url}/metrics`, { headers: { ...(authorization && { authorization }) } })
  return { status: answer.status, text: await answer.text() }
}

test('is an operator’s to read', async () => {
  expect(await scrape()).toMatchObject({ status: 401, text: expect.stringContaining('Unauthenticated') })
  expect(await scrape(await house.newPerson())).toMatchObject({
    status: 403,
    text: expect.stringContaining('Forbidden'),
  })
  expect((await scrape(house.town.operator)).status).toBe(200)
})

test('tells what waits, what runs and what is late', async () => {
  const seller = await house.newPerson()
  const buyer = await house.newPerson()
  await house.subscribe(buyer, await house.town.sell(seller))
  // Overdue for an hour, and nobody may look: the lock of due work is taken.
  const lock = await house.pool.connect()
  try {
    await lock.query(`select pg_advisory_lock(hashtextextended('turnpike:schedule', 0))`)
    await house.pool.query(`update settlement_due set due_at = '2026-06-03T08:00:00Z'`)
    // What was read last is told for some seconds.
    const text = await until(async () => {
      const found = (await scrape(house.town.operator)).text
      return found.includes('turnpike_due_work_lag_seconds{work="settlement"} 3600') ? found : undefined
    }, 'the lag is told')
    expect(text).toContain('turnpike_tasks{state="failed"} 0')
    expect(text).toContain('turnpike_instances{state="running"} 0')
    expect(text).toContain('turnpike_launches 0')
    expect(text).toContain('turnpike_money_under_way{state="settlements-planned"} 1')
    expect(text).toContain('turnpike_accounts_parked 0')
    expect(text).toContain('turnpike_gauges_missing 0')
    expect(text).toMatch(
      /turnpike_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/products",status="201"\} 1/,
    )
    expect(text).not.toContain(seller.accountId)
  } finally {
    await lock.query(`select pg_advisory_unlock(hashtextextended('turnpike:schedule', 0))`)
    lock.release()
  }
})

test('a gauge that cannot be read is left out and counted', async () => {
  await house.pool.query('alter table month_close_claim rename to away')
  try {
    const text = await until(async () => {
      const found = (await scrape(house.town.operator)).text
      return found.includes('turnpike_gauges_missing 1') ? found : undefined
    }, 'the gauge is missing')
    expect(text).not.toMatch(/^turnpike_accounts_parked \d/m)
  } finally {
    await house.pool.query('alter table away rename to month_close_claim')
  }
})
