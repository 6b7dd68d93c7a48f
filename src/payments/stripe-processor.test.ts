import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestDatabase } from '../../test/database.ts'
import { testSandbox, type TestSandbox } from '../../test/sandbox.ts'
import type { Sandbox } from '../sandbox/serve-sandbox.ts'
import { signatureOf } from '../sandbox/deliver-webhooks.ts'
import type { Card, ChargeRequest, Processor, ProcessorEvent } from './processor.ts'
import { createStripeProcessor } from './stripe-processor.ts'

let at: TestSandbox
let house: TestDatabase
let sandbox: Sandbox
let url: string
let processor: Processor
let stripe: Stripe
let receiver: Server
const received: ProcessorEvent[] = []

beforeAll(async () => {
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    received.push(processor.readEvent(await buffer(request), String(request.headers['stripe-signature'])))
    response.end()
  }
  receiver = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve))
  const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks/stripe`
  at = await testSandbox(() => hook)
  ;({ house, sandbox, url, stripe } = at)
  const { secretKey, webhookSecret } = sandbox
  processor = createStripeProcessor({ secretKey, webhookSecret, url })
})

afterAll(async () => {
  await at.close()
  receiver.close()
})

let accounts = 0
async function newCustomer(): Promise<string> {
  accounts += 1
  const request = { accountId: `account ${accounts}`, email: `b${accounts}@example.com`, name: 'Buyer' }
  return (await processor.createCustomer(request)).customerId
}

async function enterCard(customerId: string, number: string): Promise<Card> {
  const { url: page, sessionId } = await processor.startCardSetup({
    customerId,
    returnUrl: 'http://shop.example/back?session={CHECKOUT_SESSION_ID}',
    cancelUrl: 'http://shop.example/cancel',
    reference: 'order 1',
  })
  expect(await processor.finishCardSetup({ sessionId })).toMatchObject({ state: 'open' })
  const body = new URLSearchParams({ number, expires: '12 / 30', cvc: '123' })
  const response = await fetch(page, { method: 'POST', body, redirect: 'manual' })
  expect(response.headers.get('location')).toBe(`http://shop.example/back?session=${sessionId}`)
  const setup = await processor.finishCardSetup({ sessionId })
  if (setup.state !== 'complete') throw new Error(setup.message)
  expect(setup.customerId).toBe(customerId)
  return setup.card
}

function chargeOf(customerId: string, card: Card, idempotencyKey: string, minor = 2500n): ChargeRequest {
  return {
    customerId,
    paymentMethodId: card.paymentMethodId,
    amount: { minor, currency: 'USD' },
    idempotencyKey,
    description: 'Bill of June 2026',
    metadata: { invoice: 'inv 1' },
  }
}

describe('customers', () => {
  test('there is one per account, even when its e-mail changed between two tries', async () => {
    const request = { accountId: 'same', email: 'old@example.com', name: 'Old' }
    const { customerId } = await processor.createCustomer(request)
    expect(await processor.createCustomer({ ...request, email: 'new@example.com' })).toEqual({ customerId })
    expect(await stripe.customers.retrieve(customerId)).toMatchObject({ email: 'new@example.com', name: 'Old' })
  })
})

describe('cards', () => {
  test('are entered at the processor and shown by their last digits', async () => {
    const customerId = await newCustomer()
    expect(await enterCard(customerId, '5555 5555 5555 4444')).toMatchObject({
      brand: 'mastercard',
      last4: '4444',
      expMonth: 12,
      expYear: 2030,
    })
  })

  test('of an unknown or expired entry are told apart', async () => {
    const customerId = await newCustomer()
    expect(await processor.finishCardSetup({ sessionId: 'cs_test_none' })).toMatchObject({ state: 'failed' })
    const { sessionId } = await processor.startCardSetup({
      customerId,
      returnUrl: 'http://shop.example/',
      cancelUrl: 'http://shop.example/',
      reference: 'order 2',
    })
    await stripe.checkout.sessions.expire(sessionId)
    expect(await processor.finishCardSetup({ sessionId })).toMatchObject({ state: 'expired' })
  })

  test('are validated without a charge', async () => {
    const customerId = await newCustomer()
    const { paymentMethodId } = await enterCard(customerId, '4242424242424242')
    const request = { customerId, paymentMethodId, idempotencyKey: 'validate 1' }
    expect(await processor.validateCard(request)).toEqual({ state: 'valid' })
    await house.setClock(new Date('2031-01-01T00:00:00Z'))
    const later = await processor.validateCard({ ...request, idempotencyKey: 'validate 2' })
    await house.setClock(new Date('2026-06-01T00:00:00Z'))
    expect(later).toMatchObject({ state: 'failed', code: 'expired_card' })
    expect(await processor.findCharge({ customerId, idempotencyKey: 'validate 1' })).toEqual({ state: 'absent' })
  })
})

describe('charges', () => {
  test('succeed once, are found by their key, and are repeated harmlessly', async () => {
    const customerId = await newCustomer()
    const request = chargeOf(customerId, await enterCard(customerId, '4242424242424242'), 'invoice 1/1')
    expect(await processor.findCharge(request)).toEqual({ state: 'absent' })
    const charges = await Promise.all([processor.charge(request), processor.charge(request), processor.charge(request)])
    expect(charges[0]).toMatchObject({ state: 'succeeded' })
    expect(new Set(charges.map((charge) => JSON.stringify(charge))).size).toBe(1)
    expect(await processor.findCharge(request)).toEqual(charges[0])
    const intents = (await stripe.paymentIntents.list({ customer: customerId })).data
    expect(intents.map(({ amount, metadata }) => [amount, metadata['invoice']])).toEqual([[2500, 'inv 1']])
  })

  test('that are declined are answers, the same when repeated and when found', async () => {
    const customerId = await newCustomer()
    const request = chargeOf(customerId, await enterCard(customerId, '4000000000000341'), 'invoice 2/1')
    const declined = await processor.charge(request)
    expect(declined).toEqual({
      state: 'failed',
      paymentId: expect.stringMatching(/^pi_/) as string,
      code: 'generic_decline',
      message: 'Your card was declined.',
    })
    expect(await processor.charge(request)).toEqual(declined)
    expect(await processor.findCharge(request)).toEqual(declined)
  })

  test('of a card that is gone, or below the smallest amount, have failed', async () => {
    const customerId = await newCustomer()
    const card = await enterCard(customerId, '4242424242424242')
    expect(await processor.charge(chargeOf(customerId, card, 'invoice 3/1', 49n))).toMatchObject({
      state: 'failed',
      code: 'amount_too_small',
    })
    await stripe.paymentMethods.detach(card.paymentMethodId)
    expect(await processor.charge(chargeOf(customerId, card, 'invoice 3/2'))).toMatchObject({ state: 'failed' })
  })

  test('under a key that belongs to another charge are a defect, not an answer', async () => {
    const customerId = await newCustomer()
    const card = await enterCard(customerId, '4242424242424242')
    await processor.charge(chargeOf(customerId, card, 'invoice 4/1'))
    await expect(processor.charge(chargeOf(customerId, card, 'invoice 4/1', 2600n))).rejects.toThrow(/same parameters/)
  })
})

describe('an answer that does not come', () => {
  const unavailable = { code: 'ProcessorUnavailable' }

  test('is ProcessorUnavailable: nobody listens, a server fails, the connection is cut, the key is wrong', async () => {
    const customerId = await newCustomer()
    const request = chargeOf(customerId, await enterCard(customerId, '4242424242424242'), 'invoice 5/1')
    const reaching = (to: string, secretKey = sandbox.secretKey): Processor =>
      createStripeProcessor({ secretKey, webhookSecret: sandbox.webhookSecret, url: to, retriesMax: 0 })
    const answers = ['fail', 'cut'] as const
    for (const answer of answers) {
      const server = createServer((incoming, response) => {
        if (answer === 'fail') response.writeHead(500).end('{"error":{"type":"api_error","message":"down"}}')
        else incoming.socket.destroy()
      })
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await expect(reaching(address).charge(request)).rejects.toMatchObject(unavailable)
      server.close()
      server.closeAllConnections()
      await expect(reaching(address).charge(request)).rejects.toMatchObject(unavailable)
    }
    await expect(reaching(url, 'sk_test_wrong').charge(request)).rejects.toMatchObject(unavailable)
    expect(await processor.charge(request)).toMatchObject({ state: 'succeeded' })
  })

  test('of a charge that was made is found by its key', async () => {
    const customerId = await newCustomer()
    const request = chargeOf(customerId, await enterCard(customerId, '4242424242424242'), 'invoice 6/1')
    const losing = createServer((incoming, response) => {
      void forward(incoming, url).then(() => response.destroy())
    })
    await new Promise<void>((resolve) => void losing.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(losing.address() as AddressInfo).port}`
    const { secretKey, webhookSecret } = sandbox
    const deaf = createStripeProcessor({ secretKey, webhookSecret, url: address, retriesMax: 1 })
    await expect(deaf.charge(request)).rejects.toMatchObject(unavailable)
    losing.close()
    const found = await processor.findCharge(request)
    expect(found).toMatchObject({ state: 'succeeded' })
    expect(await processor.charge(request)).toEqual(found)
    expect((await stripe.paymentIntents.list({ customer: customerId })).data).toHaveLength(1)
  })
})

async function forward(incoming: IncomingMessage, to: string): Promise<void> {
  const body = await buffer(incoming)
  const names = ['authorization', 'content-type', 'idempotency-key'] as const
  const headers = Object.fromEntries(names.map((name) => [name, String(incoming.headers[name])]))
  await (await fetch(`${to}${incoming.url}`, { method: 'POST', headers, body })).text()
}

describe('refunds and transfers', () => {
  test('move money once per key and refuse more than there is', async () => {
    const customerId = await newCustomer()
    const card = await enterCard(customerId, '4242424242424242')
    const paid = await processor.charge(chargeOf(customerId, card, 'invoice 7/1'))
    if (paid.state !== 'succeeded') throw new Error('not paid')
    const refund = {
      paymentId: paid.paymentId,
      amount: { minor: 1000n, currency: 'USD' },
      idempotencyKey: 'refund 1',
      metadata: { refund: '1' },
    } as const
    const refunded = await processor.refund(refund)
    expect(refunded).toMatchObject({ state: 'succeeded' })
    expect(await processor.refund(refund)).toEqual(refunded)
    const tooMuch = { ...refund, idempotencyKey: 'refund 2', amount: { minor: 1501n, currency: 'USD' } } as const
    expect(await processor.refund(tooMuch)).toMatchObject({ state: 'failed', message: /greater than unrefunded/ })

    const seller = { sellerAccountId: 'seller 1', email: 'seller@example.com' }
    const { processorAccountId } = await processor.createSellerAccount(seller)
    expect(await processor.createSellerAccount({ ...seller, email: 'moved@example.com' })).toEqual({
      processorAccountId,
    })
    const transfer = { processorAccountId, idempotencyKey: 'payout 1', metadata: {} }
    const sent = await processor.transferToSeller({ ...transfer, amount: { minor: 1500n, currency: 'USD' } })
    expect(await processor.transferToSeller({ ...transfer, amount: { minor: 1500n, currency: 'USD' } })).toEqual(sent)
    // Asked for again when Stripe has forgotten the key.
    await house.pool.query('delete from sandbox.idempotency')
    expect(await processor.transferToSeller({ ...transfer, amount: { minor: 1500n, currency: 'USD' } })).toEqual(sent)
    expect((await stripe.transfers.list({ destination: processorAccountId })).data).toHaveLength(1)
    await expect(
      processor.transferToSeller({
        ...transfer,
        idempotencyKey: 'payout 2',
        amount: { minor: 1_000_000n, currency: 'USD' },
      }),
    ).rejects.toMatchObject({ code: 'PaymentRefused' })
  })
})

describe('events', () => {
  test('arrive signed and typed', async () => {
    const customerId = await newCustomer()
    const good = await enterCard(customerId, '4242424242424242')
    const bad = await enterCard(customerId, '4000000000000341')
    const paid = await processor.charge(chargeOf(customerId, good, 'invoice 8/1'))
    const declined = await processor.charge(chargeOf(customerId, bad, 'invoice 8/2'))
    await sandbox.deliverWebhooks()
    const of = (key: string): ProcessorEvent | undefined =>
      received.find((event) => 'idempotencyKey' in event && event.idempotencyKey === key)
    if (paid.state !== 'succeeded' || declined.state !== 'failed') throw new Error('unexpected outcome')
    expect(of('invoice 8/1')).toMatchObject({
      kind: 'payment_succeeded',
      paymentId: paid.paymentId,
      metadata: { invoice: 'inv 1' },
    })
    expect(of('invoice 8/2')).toMatchObject({
      kind: 'payment_failed',
      paymentId: declined.paymentId,
      code: 'generic_decline',
    })
    expect(received).toContainEqual(
      expect.objectContaining({ kind: 'card_setup_completed', customerId, reference: 'order 1' }),
    )
  })

  test('with a missing, wrong or old signature are refused', () => {
    const body = JSON.stringify({ id: 'evt_1', object: 'event', type: 'charge.refunded', data: { object: {} } })
    const read = (signature: string, text = body): ProcessorEvent => processor.readEvent(Buffer.from(text), signature)
    const good = signatureOf(body, sandbox.webhookSecret)
    expect(read(good)).toEqual({ eventId: 'evt_1', type: 'charge.refunded', kind: 'other' })
    const refused = expect.objectContaining({ code: 'Unauthenticated' }) as Error
    expect(() => read('')).toThrow(refused)
    expect(() => read(signatureOf(body, 'whsec_other'))).toThrow(refused)
    expect(() => read(good, `${body} `)).toThrow(refused)
    const old = Math.floor(Date.now() / 1000) - 3600
    expect(() => read(signatureOf(body, sandbox.webhookSecret, old))).toThrow(refused)
  })
})
