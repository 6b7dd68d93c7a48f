import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { createSandbox, type Sandbox } from './serve-sandbox.ts'
import { apiVersion } from './sandbox.ts'

let house: TestDatabase
let sandbox: Sandbox
let url: string
let stripe: Stripe

function connect(to: string, key = sandbox.secretKey): Stripe {
  const { hostname, port } = new URL(to)
  return new Stripe(key, { apiVersion, protocol: 'http', host: hostname, port, telemetry: false, maxNetworkRetries: 5 })
}

beforeAll(async () => {
  house = await testDatabase()
  sandbox = createSandbox({ database: house.database, log: house.log, webhookUrl: () => undefined })
  url = (await sandbox.listen(0)).url
  stripe = connect(url)
})

afterAll(async () => {
  await sandbox.close()
  await house.close()
})

/** What the SDK throws, as a value. */
async function refusal(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await work
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error
    throw error
  }
  throw new Error('it was not refused')
}

async function customerWithCard(id = 'pm_card_visa'): Promise<{ customer: string; payment_method: string }> {
  const customer = await stripe.customers.create({ email: 'buyer@example.com' })
  const method = await stripe.paymentMethods.attach(id, { customer: customer.id })
  return { customer: customer.id, payment_method: method.id }
}

const offSession = { currency: 'usd', confirm: true, off_session: true } as const

describe('customers', () => {
  test('are created, changed, listed and deleted; time is the billing clock’s', async () => {
    const made = await stripe.customers.create({
      email: 'a@example.com',
      name: 'Ann',
      metadata: { account: '1', x: 'y' },
    })
    expect(made).toMatchObject({ object: 'customer', email: 'a@example.com', livemode: false })
    expect(made.created).toBe(Date.UTC(2026, 5, 1) / 1000)
    const changed = await stripe.customers.update(made.id, { name: 'Anna', metadata: { x: '', z: '2' } })
    expect(changed).toMatchObject({ name: 'Anna', email: 'a@example.com', metadata: { account: '1', z: '2' } })
    expect((await stripe.customers.list({ email: 'a@example.com' })).data.map(({ id }) => id)).toEqual([made.id])
    expect(await stripe.customers.del(made.id)).toEqual({ id: made.id, object: 'customer', deleted: true })
    expect(await stripe.customers.retrieve(made.id)).toMatchObject({ deleted: true })
    expect((await stripe.customers.list({ email: 'a@example.com' })).data).toEqual([])
    expect(await refusal(stripe.customers.update(made.id, { name: 'B' }))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    })
  })

  test('are paged in both directions, the newest first', async () => {
    const email = 'paged@example.com'
    const ids: string[] = []
    for (let count = 0; count < 5; count += 1) ids.unshift((await stripe.customers.create({ email })).id)
    const first = await stripe.customers.list({ email, limit: 2 })
    expect(first).toMatchObject({ has_more: true, url: '/v1/customers' })
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2))
    const before = await stripe.customers.list({ email, limit: 2, ending_before: ids[4] as string })
    expect(before.data.map(({ id }) => id)).toEqual(ids.slice(2, 4))
    expect(before.has_more).toBe(true)
    const all: string[] = []
    for await (const customer of stripe.customers.list({ email, limit: 2 })) all.push(customer.id)
    expect(all).toEqual(ids)
    expect(await refusal(stripe.customers.list({ starting_after: 'cus_none' }))).toMatchObject({ statusCode: 400 })
    expect((await stripe.customers.list({ email, created: { gt: Date.UTC(2027, 0, 1) / 1000 } })).data).toEqual([])
  })
})

describe('payment methods', () => {
  test('keep nothing of a card but what may be shown', async () => {
    const card = { number: '4242424242424242', exp_month: 12, exp_year: 2030, cvc: '123' }
    const method = await stripe.paymentMethods.create({ type: 'card', card })
    expect(method.card).toMatchObject({
      brand: 'visa',
      last4: '4242',
      exp_month: 12,
      exp_year: 2030,
      funding: 'credit',
    })
    const again = await stripe.paymentMethods.create({ type: 'card', card })
    expect(again.card?.fingerprint).toBe(method.card?.fingerprint)
    const kept = await house.pool.query<{ found: boolean }>(
      `select exists (select from sandbox.object where data::text like '%4242424242424242%')
           or exists (select from sandbox.idempotency where (body || request_sha256) like '%4242424242424242%') as found`,
    )
    expect(kept.rows[0]?.found).toBe(false)
  })

  test('are checked with Stripe’s codes', async () => {
    const card = { number: '4242424242424241', exp_month: 12, exp_year: 2030, cvc: '123' }
    expect(await refusal(stripe.paymentMethods.create({ type: 'card', card }))).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'incorrect_number',
      param: 'number',
    })
  })

  test('are attached to one customer and detached', async () => {
    const { customer, payment_method: id } = await customerWithCard('pm_card_mastercard')
    expect((await stripe.customers.listPaymentMethods(customer)).data.map((method) => method.id)).toEqual([id])
    const other = await stripe.customers.create()
    expect(await refusal(stripe.paymentMethods.attach(id, { customer: other.id }))).toMatchObject({ statusCode: 400 })
    expect(await stripe.paymentMethods.detach(id)).toMatchObject({ id, customer: null })
    expect((await stripe.paymentMethods.list({ customer, type: 'card' })).data).toEqual([])
  })

  test.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', undefined],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', undefined],
  ])('%s can neither be attached nor charged', async (id, code, decline) => {
    const customer = await stripe.customers.create()
    const attached = await refusal(stripe.paymentMethods.attach(id, { customer: customer.id }))
    expect(attached).toMatchObject({ type: 'StripeCardError', statusCode: 402, code })
    expect(attached.decline_code).toBe(decline ?? '')
    const charged = await refusal(
      stripe.paymentIntents.create({ amount: 500, currency: 'usd', payment_method: id, confirm: true }),
    )
    expect(charged).toMatchObject({ code, payment_intent: { status: 'requires_payment_method' } })
    expect(charged.decline_code).toBe(decline ?? '')
  })
})

describe('payment intents', () => {
  test('charge a saved card off session', async () => {
    const card = await customerWithCard()
    const intent = await stripe.paymentIntents.create({
      amount: 1867,
      ...offSession,
      ...card,
      metadata: { invoice: '7' },
    })
    expect(intent).toMatchObject({ status: 'succeeded', amount_received: 1867, metadata: { invoice: '7' } })
    const read = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge', 'payment_method'] })
    expect(read.latest_charge).toMatchObject({ object: 'charge', paid: true, captured: true, amount: 1867 })
    expect(read.payment_method).toMatchObject({ object: 'payment_method', customer: card.customer })
    expect((await stripe.paymentIntents.list({ customer: card.customer })).data).toHaveLength(1)
    const events = await stripe.events.list({ type: 'payment_intent.succeeded', limit: 1 })
    expect(events.data[0]?.data.object).toMatchObject({ id: intent.id })
  })

  test('that are declined stay, with their error, and can be confirmed with another card', async () => {
    const card = await customerWithCard('pm_card_chargeCustomerFail')
    const error = await refusal(stripe.paymentIntents.create({ amount: 2000, ...offSession, ...card }))
    const id = error.payment_intent?.id as string
    expect(error).toMatchObject({ code: 'card_declined', decline_code: 'generic_decline', statusCode: 402 })
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined', payment_method: { id: card.payment_method } },
    })
    const better = await stripe.paymentMethods.attach('pm_card_visa', { customer: card.customer })
    expect(await stripe.paymentIntents.confirm(id, { payment_method: better.id })).toMatchObject({
      status: 'succeeded',
    })
    expect(await refusal(stripe.paymentIntents.confirm(id))).toMatchObject({ code: 'payment_intent_unexpected_state' })
    expect((await stripe.charges.list({ payment_intent: id })).data.map(({ status }) => status)).toEqual([
      'succeeded',
      'failed',
    ])
  })

  test('are captured by hand and canceled', async () => {
    const manual = { currency: 'usd', capture_method: 'manual', confirm: true, payment_method: 'pm_card_visa' } as const
    const held = await stripe.paymentIntents.create({ amount: 1000, ...manual })
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 1000, amount_received: 0 })
    expect(await refusal(stripe.paymentIntents.capture(held.id, { amount_to_capture: 1001 }))).toMatchObject({
      code: 'amount_too_large',
    })
    expect(await stripe.paymentIntents.capture(held.id, { amount_to_capture: 700 })).toMatchObject({
      status: 'succeeded',
      amount_received: 700,
    })
    const open = await stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })
    expect(await stripe.paymentIntents.cancel(open.id)).toMatchObject({ status: 'canceled' })
    expect(await refusal(stripe.paymentIntents.cancel(held.id))).toMatchObject({ statusCode: 400 })
  })

  test('refuse what Stripe refuses', async () => {
    const card = await customerWithCard()
    const other = await stripe.customers.create()
    const create = (change: Partial<Stripe.PaymentIntentCreateParams>): Promise<Stripe.errors.StripeError> =>
      refusal(stripe.paymentIntents.create({ amount: 500, ...offSession, ...card, ...change }))
    expect(await create({ amount: 49 })).toMatchObject({ code: 'amount_too_small', param: 'amount' })
    expect(await create({ amount: 100_000_000 })).toMatchObject({ code: 'amount_too_large' })
    expect(await create({ amount: 1.5 })).toMatchObject({ code: 'parameter_invalid_integer', param: 'amount' })
    expect(await create({ currency: 'dollars' })).toMatchObject({ param: 'currency' })
    expect(await create({ customer: other.id })).toMatchObject({ statusCode: 400, param: 'payment_method' })
    expect(await create({ customer: 'cus_none' })).toMatchObject({ code: 'resource_missing', param: 'customer' })
    expect(await create({ payment_method: 'pm_none' })).toMatchObject({ code: 'resource_missing' })
    expect(await create({ transfer_data: { destination: 'acct_1' } })).toMatchObject({
      code: 'parameter_unknown',
      param: 'transfer_data',
    })
    expect((await stripe.paymentIntents.list({ customer: card.customer })).data).toEqual([])
  })

  test('a card is declined once its month is over', async () => {
    const { customer } = await customerWithCard()
    const card = { number: '4242424242424242', exp_month: 6, exp_year: 2026, cvc: '123' }
    const made = await stripe.paymentMethods.create({ type: 'card', card })
    const { id: payment_method } = await stripe.paymentMethods.attach(made.id, { customer })
    await house.setClock(new Date('2026-07-01T00:00:00Z'))
    const error = await refusal(stripe.paymentIntents.create({ amount: 500, ...offSession, customer, payment_method }))
    await house.setClock(new Date('2026-06-01T00:00:00Z'))
    expect(error).toMatchObject({ code: 'expired_card', statusCode: 402 })
  })
})

describe('setup intents', () => {
  test('save a card, or say why not', async () => {
    const customer = (await stripe.customers.create()).id
    const params = { customer, confirm: true, usage: 'off_session' } as const
    const saved = await stripe.setupIntents.create({ ...params, payment_method: 'pm_card_visa' })
    expect(saved.status).toBe('succeeded')
    const expanded = await stripe.setupIntents.retrieve(saved.id, { expand: ['payment_method.customer'] })
    expect(expanded.payment_method).toMatchObject({ customer: { id: customer, object: 'customer' } })
    const declined = await refusal(stripe.setupIntents.create({ ...params, payment_method: 'pm_card_chargeDeclined' }))
    expect(declined).toMatchObject({ code: 'card_declined', setup_intent: { status: 'requires_payment_method' } })
    const later = await stripe.setupIntents.create({ customer })
    expect(await stripe.setupIntents.confirm(later.id, { payment_method: 'pm_card_visa' })).toMatchObject({
      status: 'succeeded',
    })
    expect((await stripe.setupIntents.list({ customer })).data).toHaveLength(3)
  })
})

describe('refunds', () => {
  test('never exceed what was taken, however many race', async () => {
    const card = await customerWithCard()
    const intent = await stripe.paymentIntents.create({ amount: 1000, ...offSession, ...card })
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => stripe.refunds.create({ payment_intent: intent.id, amount: 300 })),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    const rest = await stripe.refunds.create({ payment_intent: intent.id })
    expect(rest).toMatchObject({ amount: 100, status: 'succeeded', currency: 'usd' })
    expect(await refusal(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      code: 'charge_already_refunded',
    })
    const charge = await stripe.charges.retrieve(intent.latest_charge as string)
    expect(charge).toMatchObject({ amount_refunded: 1000, refunded: true })
    const refunds = (await stripe.refunds.list({ payment_intent: intent.id })).data
    expect(refunds.reduce((sum, { amount }) => sum + amount, 0)).toBe(1000)
  })
})

describe('sellers’ accounts and transfers', () => {
  test('are paid from the balance, never more than it holds', async () => {
    const card = await customerWithCard()
    const held = async (): Promise<number> =>
      (await stripe.balance.retrieve()).available.find(({ currency }) => currency === 'eur')?.amount ?? 0
    await stripe.paymentIntents.create({ amount: 1000, ...offSession, currency: 'eur', ...card })
    expect(await held()).toBe(1000)
    const account = await stripe.accounts.create({ capabilities: { transfers: { requested: true } } })
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, () =>
        stripe.transfers.create({ amount: 300, currency: 'eur', destination: account.id }),
      ),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(await held()).toBe(100)
    expect((await stripe.transfers.list({ destination: account.id })).data).toHaveLength(3)
    const poor = await stripe.accounts.create({})
    expect(await refusal(stripe.transfers.create({ amount: 1, currency: 'eur', destination: poor.id }))).toMatchObject({
      code: 'insufficient_capabilities_for_transfer',
    })
    expect(
      await refusal(stripe.transfers.create({ amount: 101, currency: 'eur', destination: account.id })),
    ).toMatchObject({ code: 'balance_insufficient' })
  })
})

describe('idempotency', () => {
  test('ten requests at once under one key make one object and get one answer', async () => {
    const card = await customerWithCard()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        stripe.paymentIntents.create({ amount: 4200, ...offSession, ...card }, { idempotencyKey: 'ten/at/once' }),
      ),
    )
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect((await stripe.paymentIntents.list({ customer: card.customer })).data).toHaveLength(1)
  })

  test('a repeat is answered byte for byte, a decline too; another request is refused', async () => {
    const card = await customerWithCard('pm_card_chargeCustomerFail')
    const post = (amount: number): Promise<Response> =>
      fetch(`${url}/v1/payment_intents`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${sandbox.secretKey}`,
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
    expect(await refusal(connect(url, 'sk_test_wrong').balance.retrieve())).toMatchObject({ statusCode: 401 })
    const authorization = `Basic ${Buffer.from(`${sandbox.secretKey}:`).toString('base64')}`
    const ask = async (path: string, init: RequestInit = {}): Promise<[number, string]> => {
      const response = await fetch(`${url}${path}`, { ...init, headers: { authorization, ...init.headers } })
      const { error } = (await response.json()) as { error?: { type: string } }
      return [response.status, error?.type ?? '']
    }
    expect(await ask('/v1/balance')).toEqual([200, ''])
    expect(await ask('/v1/nothing')).toEqual([404, 'invalid_request_error'])
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
    const before = connect(first.url)
    const customer = await before.customers.create({ email: 'kept@example.com' }, { idempotencyKey: 'kept' })
    const method = await before.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const params = { amount: 777, ...offSession, customer: customer.id, payment_method: method.id }
    const paid = await before.paymentIntents.create(params, { idempotencyKey: 'kept charge' })
    await first.kill()
    const second = await hold()
    const after = connect(second.url)
    expect(await after.paymentIntents.retrieve(paid.id)).toEqual(paid)
    expect(await after.paymentIntents.create(params, { idempotencyKey: 'kept charge' })).toEqual(paid)
    expect((await after.paymentIntents.list({ customer: customer.id })).data).toHaveLength(1)
    await second.kill()
  })
})

async function hold(): Promise<{ url: string; kill: () => Promise<void> }> {
  const argv = ['test/hold-sandbox.ts', house.config.databaseUrl ?? '', house.config.masterKey ?? '']
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
