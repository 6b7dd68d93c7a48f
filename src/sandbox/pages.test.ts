import { createHash } from 'node:crypto'
import fastify from 'fastify'
import type Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testSandbox, type TestSandbox } from '../../test/sandbox.ts'

let at: TestSandbox
let stripe: Stripe
let customer: string

beforeAll(async () => {
  at = await testSandbox()
  stripe = at.stripe
  customer = (await stripe.customers.create()).id
})

afterAll(() => at.close())

async function openSession(): Promise<{ id: string; url: string }> {
  const session = await stripe.checkout.sessions.create({
    mode: 'setup',
    customer,
    allowed_payment_method_types: ['card'],
    success_url: 'http://shop.example/back?session={CHECKOUT_SESSION_ID}&x=1',
    cancel_url: 'http://shop.example/cancel?a=1&b="2"',
    client_reference_id: 'order 9',
  })
  return { id: session.id, url: session.url as string }
}

const good = { number: '4242 4242 4242 4242', expires: '04 / 29', cvc: '123', name: 'Ann <b>Buyer</b>' }

async function submit(url: string, change: Partial<typeof good> = {}): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ ...good, ...change }),
    redirect: 'manual',
  })
}

test('the page is a plain form with the test cards, no script, and a policy that lets it lead back', async () => {
  const { url } = await openSession()
  const response = await fetch(url)
  const html = await response.text()
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('content-security-policy')).toContain("form-action 'self' http://shop.example;")
  const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? ''
  const allowed = createHash('sha256').update(style).digest('base64')
  expect(response.headers.get('content-security-policy')).toContain(`style-src 'sha256-${allowed}'`)
  expect(html).toMatch(/<form method="post"/)
  for (const name of ['number', 'expires', 'cvc', 'name']) expect(html).toContain(`name="${name}"`)
  expect(html).toContain('4242 4242 4242 4242')
  expect(html).toContain('4000 0000 0000 0341')
  expect(html).not.toMatch(/<script|javascript:/i)
  expect(html).toContain('Cancel and go back')
  expect(html).not.toContain('b="2"')
})

test('a good card is saved, leads back, and a second click leads back again without saving another', async () => {
  const { id, url } = await openSession()
  const before = (await stripe.customers.listPaymentMethods(customer, { limit: 100 })).data.length
  const responses = await Promise.all([submit(url), submit(url), submit(url)])
  for (const response of responses) {
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe(`http://shop.example/back?session=${id}&x=1`)
  }
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(303)
  const session = await stripe.checkout.sessions.retrieve(id, { expand: ['setup_intent.payment_method'] })
  expect(session).toMatchObject({
    status: 'complete',
    url: null,
    client_reference_id: 'order 9',
    setup_intent: {
      status: 'succeeded',
      payment_method: { customer, card: { brand: 'visa', last4: '4242', exp_month: 4, exp_year: 2029 } },
    },
  })
  expect((await stripe.customers.listPaymentMethods(customer, { limit: 100 })).data).toHaveLength(before + 1)
})

test('what is wrong is said on the page, which can be sent again and never shows the number', async () => {
  const { id, url } = await openSession()
  const problems: [Partial<typeof good>, string][] = [
    [{ number: '4242 4242 4242 4241' }, 'Your card number is incorrect.'],
    [{ number: '' }, 'not a valid credit card number'],
    [{ expires: 'soon' }, 'Enter the month and year'],
    [{ expires: '13/29' }, 'expiration month is invalid'],
    [{ expires: '01/20' }, 'expiration year is invalid'],
    [{ cvc: '1' }, 'security code is invalid'],
    [{ number: '4000000000000002' }, 'Your card was declined.'],
    [{ number: '4000000000009995' }, 'insufficient funds'],
    [{ number: '4000000000000069' }, 'Your card has expired.'],
    [{ number: '4539578763621486' }, 'non test card'],
  ]
  for (const [change, sentence] of problems) {
    const response = await submit(url, change)
    const html = await response.text()
    expect([response.status, html.includes(sentence), html.includes('role="alert"')]).toEqual([402, true, true])
    expect(html).not.toContain('<b>Buyer')
    if (change.number !== undefined && change.number !== '') expect(html).not.toContain(`value="${change.number}"`)
  }
  expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({ status: 'open' })
  expect((await submit(url)).status).toBe(303)
})

test('an unreadable form is an empty one', async () => {
  const { url } = await openSession()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await fetch(url, { method: 'POST', headers, body: 'number=%zz&__proto__[a]=1' })
  expect(response.status).toBe(402)
})

test('a page whose time is over, or that never was, says so', async () => {
  const { id, url } = await openSession()
  await at.house.setClock(new Date('2026-06-02T00:00:00Z'))
  const late = await submit(url)
  expect(late.status).toBe(410)
  expect(await late.text()).toContain('This form has expired')
  expect(await stripe.checkout.sessions.retrieve(id)).toMatchObject({ status: 'expired', url: null })
  await at.house.setClock(new Date('2026-06-01T00:00:00Z'))
  expect((await fetch(new URL('/checkout/cs_test_none', url))).status).toBe(404)
  expect((await fetch(new URL('/checkout/%00', url))).status).toBe(404)
})

test('the pages can be served by another server too, beside its own form parser', async () => {
  const other = fastify()
  other.addContentTypeParser('application/x-www-form-urlencoded', (_request, payload, done) => {
    payload.resume()
    done(null, {})
  })
  await other.register(at.sandbox.pages, { prefix: '/pay' })
  const { id } = await openSession()
  const body = new URLSearchParams(good).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await other.inject({ method: 'POST', url: `/pay/checkout/${id}`, headers, payload: body })
  expect(answer.statusCode).toBe(303)
  await other.close()
})
