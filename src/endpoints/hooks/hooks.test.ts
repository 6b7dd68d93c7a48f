/** Webhooks of the processor: taken in once, acknowledged only when durable, refused when not the processor's. */
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestHouse, type TestHouse } from '../../../test/house.ts'

const webhookSecret = 'whsec_test_secret_of_the_webhooks'
let house: TestHouse

beforeAll(async () => {
  // With a key of its own the processor is Stripe; nothing is asked of it here.
  house = await openTestHouse({ config: { stripeSecretKey: 'sk_test_1', stripeWebhookSecret: webhookSecret } })
})
afterAll(() => house.close())

function eventBody(id: string, type = 'invoice.created'): string {
  return JSON.stringify({ id, object: 'event', type, api_version: '2025-01-01', data: { object: { id: 'in_1' } } })
}

async function send(
  payload: string,
  options: { secret?: string; timestamp?: number; type?: string; signature?: string } = {},
): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  const { secret = webhookSecret, timestamp = Math.floor(Date.now() / 1000) } = options
  const signature = options.signature ?? Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp })
  const answer = await fetch(`${house.service.url}/hooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': options.type ?? 'application/json; charset=utf-8', 'stripe-signature': signature },
    body: payload,
  })
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> }
}

async function events(): Promise<{ event_id: string }[]> {
  return (await house.pool.query<{ event_id: string }>('select event_id from processor_event order by event_id')).rows
}

test('an event is taken in once, however often it comes', async () => {
  const body = eventBody('evt_1')
  const answers = await Promise.all([send(body), send(body), send(body)])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await send(body)).toEqual({ status: 200, body: { received: true } })
  expect(await events()).toEqual([{ event_id: 'evt_1' }])
})

test('what the processor did not sign is refused', async () => {
  const body = eventBody('evt_2')
  const minutesAgo = Math.floor(Date.now() / 1000) - 3600
  const forged = [
    await send(body, { secret: 'whsec_another' }),
    await send(body, { timestamp: minutesAgo }),
    await send(body, { signature: 't=1,v1=abc' }),
    await send(body, { signature: '' }),
    await send(`${body} `, {
      signature: Stripe.webhooks.generateTestHeaderString({ payload: body, secret: webhookSecret }),
    }),
  ]
  for (const answer of forged) expect(answer).toMatchObject({ status: 401, body: { code: 'Unauthenticated' } })
  const unsigned = await fetch(`${house.service.url}/hooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(unsigned.status).toBe(401)
  expect(await events()).not.toContainEqual({ event_id: 'evt_2' })
})

test('what is no JSON is refused, signed or not', async () => {
  expect(await send('id=evt_3', { type: 'application/x-www-form-urlencoded' })).toMatchObject({ status: 415 })
  const broken = await send('{"id":"evt_3"')
  expect(broken.status).toBeGreaterThanOrEqual(400)
  expect(broken.status).toBeLessThan(500)
  expect(await send('[]')).toMatchObject({ status: 400 })
  expect(await send('{"id":7,"type":{}}')).toMatchObject({ status: 400 })
  expect(await events()).toEqual([{ event_id: 'evt_1' }])
})

test('an event that could not be written is not acknowledged, and is taken in when it comes again', async () => {
  await house.pool.query('alter table processor_event rename to away')
  try {
    expect(await send(eventBody('evt_4'))).toMatchObject({ status: 500, body: { code: 'Internal' } })
  } finally {
    await house.pool.query('alter table away rename to processor_event')
  }
  expect(await send(eventBody('evt_4'))).toMatchObject({ status: 200 })
  expect(await events()).toContainEqual({ event_id: 'evt_4' })
})
