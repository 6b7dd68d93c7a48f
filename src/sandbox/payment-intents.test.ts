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

const offSession = { currency: 'usd', confirm: true, off_session: true } as const

describe('payment intents', () => {
  test('charge a saved card off session', async () => {
    const card = await at.customerWithCard()
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
    const card = await at.customerWithCard('pm_card_chargeCustomerFail')
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
    const card = await at.customerWithCard()
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
    const { customer } = await at.customerWithCard()
    const card = { number: '4242424242424242', exp_month: 6, exp_year: 2026, cvc: '123' }
    const made = await stripe.paymentMethods.create({ type: 'card', card })
    const { id: payment_method } = await stripe.paymentMethods.attach(made.id, { customer })
    await at.house.setClock(new Date('2026-07-01T00:00:00Z'))
    const error = await refusal(stripe.paymentIntents.create({ amount: 500, ...offSession, customer, payment_method }))
    await at.house.setClock(new Date('2026-06-01T00:00:00Z'))
    expect(error).toMatchObject({ code: 'expired_card', statusCode: 402 })
  })
})

describe('refunds', () => {
  test('never exceed what was taken, however many race', async () => {
    const card = await at.customerWithCard()
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
    const card = await at.customerWithCard()
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
