/** Bad input at the pages: told in words on a page with the right status, and nothing changed. */
import { parse } from 'node-html-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestTables } from '../books-summary.ts'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from '../house.ts'

let house: TestHouse
let buyer: Person
let subscriber: Person
let product: SellableProduct
let withTerms: SellableProduct
let cookie = ''
let subscriptionId = ''
let invoiceId = ''
let before: Record<string, string>

beforeAll(async () => {
  house = await openTestHouse()
  const seller = await house.newPerson()
  buyer = await house.newPerson()
  subscriber = await house.newPerson()
  product = await house.town.sell(seller)
  withTerms = await house.town.sell(seller, { name: 'With terms', terms: 'Be kind.' })
  await house.subscribe(subscriber, product)
  const { subscriptions } = await house.town.asked(subscriber, 'GET', '/subscriptions')
  subscriptionId = (subscriptions as { subscriptionId: string }[])[0]?.subscriptionId ?? ''
  const { invoices } = await house.town.asked(subscriber, 'GET', '/invoices')
  invoiceId = (invoices as { invoiceId: string }[])[0]?.invoiceId ?? ''
  // A card on file, as far as the order page.
  await house.town.openOrder(house.town.visitor(), buyer, product.purchaseUrl)
  cookie = await signIn(buyer)
  await house.settle()
  before = await digestTables(house.pool)
}, 60_000)
afterAll(() => house.close())

interface Told {
  readonly status: number
  readonly words: string
  readonly location: string | null
}

/** Posts a form as a browser that shows one of our pages does, unless told otherwise. */
async function post(path: string, body: string | URLSearchParams, changes: Record<string, string> = {}): Promise<Told> {
  const headers = { origin: house.town.url, accept: 'text/html', cookie, ...changes }
  const answer = await fetch(house.town.url + path, { method: 'POST', headers, body, redirect: 'manual' })
  const document = parse(await answer.text())
  const words = (document.querySelector('[role=alert]') ?? document).textContent.replaceAll(/\s+/g, ' ').trim()
  return { status: answer.status, words, location: answer.headers.get('location') }
}

async function signIn({ email, password }: Person): Promise<string> {
  const answer = await fetch(`${house.town.url}/sign-in`, {
    method: 'POST',
    headers: { origin: house.town.url },
    body: new URLSearchParams({ email, password }),
    redirect: 'manual',
  })
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}

const unchanged = async (): Promise<void> => expect(await digestTables(house.pool)).toEqual(before)
const order = (changes: Record<string, string> = {}) =>
  new URLSearchParams({
    nonce: 'a-page-drawn-once-0001',
    initialCharge: '20.00',
    currency: 'USD',
    priceVersion: '1',
    ...changes,
  })
const purchase = () => `/purchase/${product.offeringCode}`

describe('Place your order refuses', () => {
  test.each([
    ['a page without its nonce', { nonce: '' }, 400],
    ['a nonce that is none', { nonce: "'; drop table invoice; --" }, 400],
    ['a charge made smaller', { initialCharge: '0.01' }, 409],
    ['a charge made larger', { initialCharge: '2000.00' }, 409],
    ['a charge that is no amount', { initialCharge: 'free' }, 400],
    ['a charge with a sign', { initialCharge: '-20.00' }, 409],
    ['another currency', { currency: 'XXX' }, 400],
    ['another price version', { priceVersion: '2' }, 409],
    ['a price version that is none', { priceVersion: 'newest' }, 409],
  ] as const)('%s', async (_name, changes, status) => {
    const told = await post(purchase(), order(changes))
    expect([told.status, told.words.length > 20]).toEqual([status, true])
    await unchanged()
  })

  test('a product whose terms were not accepted', async () => {
    const told = await post(`/purchase/${withTerms.offeringCode}`, order())
    expect(told).toMatchObject({ status: 400, words: expect.stringContaining('terms') as string })
    await unchanged()
  })

  test('an offering there is not', async () => {
    expect((await post('/purchase/00000000', order())).status).toBe(404)
    expect((await post('/purchase/%00', order())).status).toBe(400)
    await unchanged()
  })

  test('whoever is not signed in, who comes back to the page afterwards', async () => {
    const told = await post(purchase(), order(), { cookie: '', referer: house.town.url + purchase() })
    expect(told).toMatchObject({ status: 303, location: `/sign-in?continue=${encodeURIComponent(purchase())}` })
    await unchanged()
  })
})

describe("every form refuses another site's page", () => {
  test.each([
    ['its origin', { origin: 'https://evil.example' }],
    ['no origin', { origin: '' }],
    ['the origin null', { origin: 'null' }],
    ['our origin said across sites', { 'sec-fetch-site': 'cross-site' }],
    ['our name in its name', { origin: 'http://127.0.0.1.evil.example' }],
  ] as const)('%s', async (_name, changes) => {
    for (const path of [purchase(), '/sign-in', '/account/access-keys', '/billing/card', '/sign-out']) {
      const told = await post(path, order(), changes)
      expect([path, told.status, told.words]).toEqual([
        path,
        403,
        expect.stringContaining('nothing was done') as string,
      ])
    }
    await unchanged()
  })
})

describe("what is someone else's is not there", () => {
  test.each([
    ['cancelling a subscription', (): string => `/billing/subscriptions/${subscriptionId}/cancel`],
    ['an activation key', (): string => `/activation/${subscriptionId}`],
    ['paying a statement', (): string => `/billing/statements/${invoiceId}/pay`],
    ['a subscription that is no id', (): string => '/billing/subscriptions/1/cancel'],
    ['a statement that is no id', (): string => '/billing/statements/1/pay'],
    ['an access key', (): string => `/account/access-keys/${subscriber.accessKeyId}`],
    ['a product', (): string => `/seller/products/${product.productCode}`],
  ] as const)('%s', async (_name, path) => {
    const told = await post(path(), new URLSearchParams({ action: 'deactivate', verb: 'withdraw' }))
    expect([400, 403, 404]).toContain(told.status)
    await unchanged()
  })

  test.each(['/operator', '/operator/accounts', '/operator/mailbox', '/operator/proof'])(
    '%s is for operators',
    async (path) => {
      const answer = await fetch(house.town.url + path, {
        headers: { cookie, accept: 'text/html' },
        redirect: 'manual',
      })
      expect(answer.status).toBe(403)
    },
  )

  test('the clock is moved by operators only', async () => {
    expect((await post('/operator/clock', new URLSearchParams({ to: '2027-01-01' }))).status).toBe(403)
    await unchanged()
  })

  test("a card session of another buyer's is refused", async () => {
    const { rows } = await house.pool.query<{ session_id: string }>(
      'select session_id from card_setup where account_id = $1',
      [subscriber.accountId],
    )
    const url = `${house.town.url}${purchase()}?session=${rows[0]?.session_id ?? 'none'}`
    const answer = await fetch(url, { headers: { cookie, accept: 'text/html' }, redirect: 'manual' })
    expect([answer.status, parse(await answer.text()).querySelector('[role=alert]') !== null]).toEqual([200, true])
    await unchanged()
  })
})

describe('a form that cannot be read is refused', () => {
  test.each([
    ['JSON', '{}', 'application/json', 415],
    ['over a mebibyte', `nonce=${'x'.repeat(1_100_000)}`, 'application/x-www-form-urlencoded', 413],
    ['a thousand fields and more', 'a=1&'.repeat(1500), 'application/x-www-form-urlencoded', 400],
  ] as const)('%s', async (_name, body, type, status) => {
    expect((await post(purchase(), body, { 'content-type': type })).status).toBe(status)
    await unchanged()
  })
})

describe('signing in', () => {
  test.each([
    ['a wrong password', () => ({ email: buyer.email, password: 'wrong password here' }), 401],
    ['nobody', () => ({ email: 'nobody@example.com', password: 'wrong password here' }), 401],
    ['nothing', () => ({}), 401],
  ] as const)('refuses %s', async (_name, fields, status) => {
    const told = await post('/sign-in', new URLSearchParams(fields()), { cookie: '' })
    expect([told.status, told.location]).toEqual([status, null])
    await unchanged()
  })

  test.each(['https://evil.example/', '//evil.example', '/\\evil.example', '/.//evil.example', 'javascript:alert(1)'])(
    'never leads to %s',
    async (elsewhere) => {
      const fields = new URLSearchParams({ email: buyer.email, password: buyer.password, continue: elsewhere })
      expect(await post('/sign-in', fields, { cookie: '' })).toMatchObject({ status: 303, location: '/' })
    },
  )

  test('refuses an account without a name, an address or enough of a password, and makes none', async () => {
    before = await digestTables(house.pool)
    for (const changes of [{ name: '' }, { email: 'nowhere' }, { password: 'short' }]) {
      const fields = { name: 'New', email: 'new@example.com', password: 'long enough to be one', ...changes }
      expect((await post('/sign-up', new URLSearchParams(fields), { cookie: '' })).status).toBe(400)
    }
    expect((await post('/verify-email', new URLSearchParams({ token: 'nonsense' }))).status).toBeGreaterThanOrEqual(400)
    expect(
      (await post('/reset-password', new URLSearchParams({ token: 'nonsense', password: 'long enough to be one' })))
        .status,
    ).toBeGreaterThanOrEqual(400)
    await unchanged()
  })
})
