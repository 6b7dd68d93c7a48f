import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type Stripe from 'stripe'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { testSandbox, type TestSandbox } from '../../test/sandbox.ts'
import { createSandbox, type Sandbox } from './serve-sandbox.ts'

let at: TestSandbox
let sandbox: Sandbox
let stripe: Stripe
let receiver: Server
let hook: string | undefined
let received: Stripe.Event[] = []
/** What the receiver answers to an event. */
let answer: (event: Stripe.Event) => number = () => 200

beforeAll(async () => {
  at = await testSandbox(() => hook)
  stripe = at.stripe
  sandbox = at.sandbox
})

afterAll(() => at.close())

beforeEach(async () => {
  received = []
  answer = () => 200
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const signature = String(request.headers['stripe-signature'])
    const event = stripe.webhooks.constructEvent(await buffer(request), signature, sandbox.webhookSecret)
    received.push(event)
    response.writeHead(answer(event)).end()
  }
  receiver = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve))
  hook = undefined
})

afterEach(async () => {
  receiver.closeAllConnections()
  receiver.close()
  await at.house.pool.query('update sandbox.webhook_delivery set delivered_at = now() where delivered_at is null')
})

function addressOfReceiver(): string {
  return `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks/stripe`
}

async function pay(amount: number): Promise<string> {
  const params = { amount, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' }
  return (await stripe.paymentIntents.create(params)).id
}

async function deliveries(): Promise<{ attempts: number; last_error: string | null; delivered: boolean }[]> {
  const result = await at.house.pool.query<{ attempts: number; last_error: string | null; delivered: boolean }>(
    'select attempts, last_error, delivered_at is not null as delivered from sandbox.webhook_delivery order by ordinal',
  )
  return result.rows.slice(-3)
}

const paymentOf = (event: Stripe.Event): string => (event.data.object as Stripe.PaymentIntent).id

test('events wait for an endpoint, then arrive signed and in order, once', async () => {
  const paid = [await pay(100), await pay(200), await pay(300)]
  expect(await sandbox.deliverWebhooks()).toBe(0)
  hook = addressOfReceiver()
  expect(await sandbox.deliverWebhooks()).toBe(3)
  expect(received.map(paymentOf)).toEqual(paid)
  expect(received[0]).toMatchObject({ object: 'event', type: 'payment_intent.succeeded', livemode: false })
  expect(await sandbox.deliverWebhooks()).toBe(0)
  expect(received).toHaveLength(3)
  expect(await stripe.events.retrieve(received[0]?.id as string)).toMatchObject({ pending_webhooks: 0 })
})

test('an event is sent by itself soon after its request, without holding the request up', async () => {
  hook = addressOfReceiver()
  const id = await pay(400)
  await vi.waitFor(() => expect(received.map(paymentOf)).toEqual([id]), { timeout: 10_000, interval: 20 })
})

test('an event that is not taken is counted, holds up no other, and is sent again', async () => {
  const [first, second] = [await pay(500), await pay(600)]
  hook = addressOfReceiver()
  answer = (event) => (paymentOf(event) === first ? 500 : 200)
  expect(await sandbox.deliverWebhooks()).toBe(1)
  expect((await deliveries()).slice(-2)).toEqual([
    { attempts: 1, last_error: 'the endpoint answered 500', delivered: false },
    { attempts: 1, last_error: null, delivered: true },
  ])
  answer = () => 204
  expect(await sandbox.deliverWebhooks()).toBe(1)
  expect(received.map(paymentOf)).toEqual([first, second, first])
  expect((await deliveries()).at(-2)).toEqual({ attempts: 2, last_error: null, delivered: true })
})

test('a redirect is no acceptance', async () => {
  await pay(650)
  hook = addressOfReceiver()
  answer = () => 302
  expect(await sandbox.deliverWebhooks()).toBe(0)
  expect((await deliveries()).at(-1)).toMatchObject({ last_error: 'the endpoint answered 302', delivered: false })
})

test('when nobody answers, the rest waits, and the error is kept', async () => {
  const paid = [await pay(700), await pay(800)]
  hook = addressOfReceiver()
  receiver.close()
  await new Promise((resolve) => receiver.once('close', resolve))
  expect(await sandbox.deliverWebhooks()).toBe(0)
  const [first, second] = (await deliveries()).slice(-2)
  expect(first).toMatchObject({ attempts: 1, delivered: false })
  expect(first?.last_error).toContain('ECONNREFUSED')
  expect(second).toMatchObject({ attempts: 0, delivered: false })
  await new Promise<void>((resolve) => void receiver.listen(Number(new URL(hook as string).port), '127.0.0.1', resolve))
  expect(await sandbox.deliverWebhooks()).toBe(2)
  expect(received.map(paymentOf)).toEqual(paid)
})

test('closing interrupts an endpoint that never answers, and the event stays undelivered', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const own = createSandbox({ database: at.house.database, log: at.house.log, webhookUrl: () => url })
  await pay(900)
  const asked = new Promise((resolve) => silent.once('request', resolve))
  const round = own.deliverWebhooks()
  await asked
  await own.close()
  expect(await round).toBe(0)
  silent.closeAllConnections()
  silent.close()
  expect((await deliveries()).at(-1)).toMatchObject({ attempts: 0, delivered: false })
})

test('a change that is rolled back leaves no event', async () => {
  const count = async (): Promise<number> => (await stripe.events.list({ limit: 100 })).data.length
  const before = await count()
  const params = { amount: 500, currency: 'usd', confirm: true, payment_method: 'pm_none' }
  await expect(stripe.paymentIntents.create(params)).rejects.toMatchObject({ statusCode: 400 })
  expect(await count()).toBe(before)
})
