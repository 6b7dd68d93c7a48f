import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusal, testSandbox, type TestSandbox } from '../../test/sandbox.ts'

let at: TestSandbox
let stripe: Stripe

beforeAll(async () => {
  at = await testSandbox()
  stripe = at.stripe
})

afterAll(() => at.close())

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
    const kept = await at.house.pool.query<{ found: boolean }>(
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
    const { customer, payment_method: id } = await at.customerWithCard('pm_card_mastercard')
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
