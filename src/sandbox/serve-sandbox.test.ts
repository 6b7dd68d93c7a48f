import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusal, testSandbox, type TestSandbox } from '../../test/sandbox.ts'
import { apiVersion } from './sandbox.ts'

let at: TestSandbox
let stripe: Stripe

beforeAll(async () => {
  at = await testSandbox()
  stripe = at.stripe
})

afterAll(() => at.close())

const offSession = { currency: 'usd', confirm: true, off_session: true } as const

describe('idempotency', () => {
  test('ten requests at once under one key make one object and get one answer', async () => {
    const card = await at.customerWithCard()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        stripe.paymentIntents.create({ amount: 4200, ...offSession, ...card }, { idempotencyKey: 'ten/at/once' }),
      ),
    )
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect((await stripe.paymentIntents.list({ customer: card.customer })).data).toHaveLength(1)
  })

  test('a repeat is answered byte for byte, a decline too; another request is refused', async () => {
    const card = await at.customerWithCard('pm_card_chargeCustomerFail')
    const post = (amount: number): Promise<Response> =>
      fetch(`${at.url}/v1/payment_intents`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${at.sandbox.secretKey}`,
          'idempotency-key': 'declined once',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ amount: String(amount), currency: 'usd', confirm: 'true', ...card }),
      })
    const first = await post(900)
    const second = await post(900)
    expect([first.status, second.status]).toEqual([402, 402])
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(first.headers.get('stripe-version')).toBe(apiVersion)
    expect(first.headers.get('request-id')).toMatch(/^req_/)
    expect(await second.text()).toBe(await first.text())
    const other = await post(901)
    expect(other.status).toBe(400)
    expect(await other.json()).toMatchObject({ error: { type: 'idempotency_error' } })
  })

  test('a request refused before it did anything leaves its key free', async () => {
    const options = { idempotencyKey: 'mended' }
    expect(await refusal(stripe.refunds.create({ payment_intent: 'pi_none' }, options))).toMatchObject({
      statusCode: 400,
    })
    expect(await stripe.customers.create({}, options)).toMatchObject({ object: 'customer' })
  })
})

describe('the wire', () => {
  test('refuses wrong keys, unknown paths, other content and broken forms', async () => {
    expect(await refusal(at.connect(at.url, 'sk_test_wrong').balance.retrieve())).toMatchObject({ statusCode: 401 })
    const authorization = `Basic ${Buffer.from(`${at.sandbox.secretKey}:`).toString('base64')}`
    const ask = async (
      path: string,
      { headers = {}, ...init }: { method?: string; body?: string; headers?: Record<string, string> } = {},
    ): Promise<[number, string]> => {
      const response = await fetch(`${at.url}${path}`, { ...init, headers: { authorization, ...headers } })
      const { error } = (await response.json()) as { error?: { type: string } }
      return [response.status, error?.type ?? '']
    }
    expect(await ask('/v1/balance')).toEqual([200, ''])
    expect(await ask('/v1/nothing')).toEqual([404, 'invalid_request_error'])
    expect(await ask('/v1/customers/%00')).toEqual([404, 'invalid_request_error'])
    expect(await ask('/v1/customers?limit=0')).toEqual([400, 'invalid_request_error'])
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await ask('/v1/customers', { method: 'POST', headers: form, body: 'a[__proto__]=1' })).toEqual([
      400,
      'invalid_request_error',
    ])
    const json = { 'content-type': 'application/json' }
    expect(await ask('/v1/customers', { method: 'POST', headers: json, body: '{}' })).toEqual([
      415,
      'invalid_request_error',
    ])
    expect(await ask('/v1/customers', { method: 'POST', headers: form, body: `name=${'a'.repeat(300_000)}` })).toEqual([
      413,
      'invalid_request_error',
    ])
    expect((await refusal(stripe.customers.retrieve('cus_none'))).message).toBe("No such customer: 'cus_none'")
  })
})

describe('after a crash', () => {
  test('everything that was answered is still there, and keys still hold', async () => {
    const first = await hold()
    const before = at.connect(first.url)
    const customer = await before.customers.create({ email: 'kept@example.com' }, { idempotencyKey: 'kept' })
    const method = await before.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const params = { amount: 777, ...offSession, customer: customer.id, payment_method: method.id }
    const paid = await before.paymentIntents.create(params, { idempotencyKey: 'kept charge' })
    await first.kill()
    const second = await hold()
    const after = at.connect(second.url)
    expect(await after.paymentIntents.retrieve(paid.id)).toEqual(paid)
    expect(await after.paymentIntents.create(params, { idempotencyKey: 'kept charge' })).toEqual(paid)
    expect((await after.paymentIntents.list({ customer: customer.id })).data).toHaveLength(1)
    await second.kill()
  })
})

async function hold(): Promise<{ url: string; kill: () => Promise<void> }> {
  const argv = ['test/hold-sandbox.ts', at.house.config.databaseUrl ?? '', at.house.config.masterKey ?? '']
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return {
    url: line,
    async kill() {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}
