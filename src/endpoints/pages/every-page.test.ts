import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page, Visitor } from '../../cli/demo/visitor.ts'
import { sql } from '../../database/database.ts'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from '../../../test/house.ts'
import { flawsOf, walk } from '../../../test/pages.ts'
import { sampleProduct } from '../../../test/products.ts'

/** What a seller may type, in every field that takes text. */
const hostile = `"><script>alert('x')</script><img src=x onerror=alert(1)> & </textarea></title>\${1}`

const hostileProduct = {
  companyName: hostile,
  name: hostile,
  description: hostile,
  terms: hostile,
  redirectUrl: `https://abc.example.com/?q=${hostile}`,
  publicContact: `https://abc.example.com/?q=${hostile}`,
}

let house: TestHouse
let url: string
let seller: Person
let buyer: Person
let product: SellableProduct

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-16T09:00:00Z') })
  url = house.service.url
  seller = await house.newPerson()
  buyer = await house.newPerson()
  product = await house.town.sell(seller, hostileProduct)
  // It waits on the operator's desk.
  await house.town.asked(seller, 'POST', '/products', sampleProduct(hostileProduct))
  const visitor = house.town.visitor()
  const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
  await visitor.press(page, 'Place your order', { terms: 'accepted' })
  await house.settle()
})
afterAll(() => house.close())

async function signedIn(who: Person): Promise<Visitor> {
  const visitor = house.town.visitor()
  await house.town.signIn(visitor, who)
  return visitor
}

/** The session of someone who signed in, for requests that no page makes. */
async function cookieOf({ email, password }: Person): Promise<string> {
  const response = await fetch(`${url}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url },
    body: new URLSearchParams({ email, password }),
  })
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}

/** Everything a visitor can reach by links, checked. */
async function walked(visitor: Visitor, ...starts: string[]): Promise<Page[]> {
  const pages = [
    ...(
      await walk(
        visitor,
        ['/', ...starts].map((path) => new URL(path, url).href),
      )
    ).values(),
  ]
  expect(pages.filter((page) => page.status !== 200).map((page) => page.url)).toEqual([])
  expect(pages.flatMap(flawsOf)).toEqual([])
  return pages
}

describe('every page that links lead to is sound, and shows what sellers typed as text', () => {
  test('for nobody in particular', async () => {
    const pages = await walked(house.town.visitor(), `/purchase/${product.offeringCode}`)
    expect(pages.some((page) => page.text.includes(hostile))).toBe(true)
    expect(pages.length).toBeGreaterThan(4)
  })

  test('for the buyer', async () => {
    const pages = await walked(await signedIn(buyer), `/purchase/${product.offeringCode}`)
    const paths = new Set(pages.map((page) => new URL(page.url).pathname.split('/').slice(0, 3).join('/')))
    expect([...paths]).toEqual(
      expect.arrayContaining(['/billing/statements', '/billing/subscriptions', '/activation', '/account']),
    )
    expect(pages.filter((page) => page.text.includes(hostile)).length).toBeGreaterThan(4)
  })

  test('for the seller', async () => {
    const pages = await walked(await signedIn(seller))
    expect(pages.filter((page) => page.text.includes(hostile)).length).toBeGreaterThan(2)
  })

  test('for the operator', async () => {
    const pages = await walked(await signedIn(house.town.operator))
    expect(pages.filter((page) => page.url.includes('/operator/mailbox/')).length).toBeGreaterThan(1)
    expect(pages.find((page) => page.url === `${url}/operator`)?.text).toContain(hostile)
  })
})

test('without a session every page leads to sign-in and back', async () => {
  for (const path of [
    '/billing',
    '/billing/statements/x',
    '/activation',
    '/seller',
    '/seller/products/new',
    '/account',
  ]) {
    const page = await house.town.visitor().open(url + path)
    expect(page.url).toBe(`${url}/sign-in?continue=${encodeURIComponent(path)}`)
  }
  const visitor = house.town.visitor()
  const elsewhere = await visitor.open(`${url}/sign-in?continue=${encodeURIComponent('//evil.example.com/')}`)
  const { email, password } = buyer
  const page = await visitor.press(elsewhere, 'Sign in', { email, password })
  expect(page.url).toBe(`${url}/`)
  expect(visitor.lastOutside).toBeUndefined()
})

const forms = [
  '/sign-in',
  '/sign-up',
  '/sign-out',
  '/verify-email',
  '/forgot-password',
  '/reset-password',
  '/purchase/00000000',
  '/purchase/00000000/card',
  '/billing/card',
  '/billing/statements/x/pay',
  '/billing/subscriptions/x/cancel',
  '/activation/x',
  '/account/access-keys',
  '/account/access-keys/x',
  '/seller/products/new',
  '/seller/products/00000000',
  '/operator/products/00000000',
  '/operator/sellers/000000000000',
  '/operator/parked',
  '/operator/clock',
]

test('a form that another site sends does nothing, whichever it is', async () => {
  const cookie = await cookieOf(house.town.operator)
  const audits = async () =>
    await house.database.read((tx) => tx.rows(sql`select audit_id from audit_entry order by 1`))
  const before = await audits()
  for (const path of forms) {
    for (const headers of [
      { origin: 'https://evil.example.com' },
      { 'sec-fetch-site': 'cross-site', origin: url },
      {},
    ]) {
      const refused = await fetch(url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, ...headers },
        body: new URLSearchParams({ do: 'approve' }),
      })
      expect([path, refused.status, refused.headers.get('set-cookie')]).toEqual([path, 403, null])
    }
  }
  expect(await audits()).toEqual(before)
})

const oddities = [
  '%00',
  'x',
  '..%2f..%2fetc',
  '%F0%9F%92%A9',
  '\u0000',
  "' or 1=1--",
  '2026-13',
  '9'.repeat(400),
  '\ud800',
]

test('odd addresses and odd forms are refused, never a failure of ours', async () => {
  const cookie = await cookieOf(house.town.operator)
  const failed: string[] = []
  const send = async (method: string, path: string, body?: URLSearchParams): Promise<void> => {
    const headers = { cookie, origin: url, accept: 'text/html' }
    const answer = await fetch(url + path, { method, redirect: 'manual', headers, ...(body && { body }) })
    if (answer.status >= 500) failed.push(`${method} ${path}: ${answer.status}`)
    await answer.body?.cancel()
  }
  for (const odd of oddities) {
    const text = /%[0-9a-f]{2}/i.test(odd) ? odd : encodeURIComponent(odd.toWellFormed())
    for (const path of [
      `/purchase/${text}?session=${text}`,
      `/billing?month=${text}`,
      `/billing?before=${text}`,
      `/billing?before=1~${text}`,
      `/billing?product=${text}`,
      `/billing?session=${text}`,
      `/billing/statements/${text}`,
      `/billing/subscriptions/${text}`,
      `/billing/subscriptions/${text}/cancel`,
      `/seller?month=${text}`,
      `/seller/products/${text}`,
      `/seller/transactions?before=99999999999999~00000000-0000-0000-0000-000000000000`,
      `/operator/accounts?after=${text}`,
      `/operator/mailbox?before=${text}`,
      `/operator/mailbox?recipient=${text}`,
      `/operator/mailbox/${text}`,
      `/verify-email?token=${text}`,
      `/reset-password?token=${text}`,
    ]) {
      await send('GET', path)
    }
    for (const form of forms.filter((path) => path !== '/sign-out')) {
      const path = form.replace(/\/(x|0+)(?=\/|$)/, `/${text}`)
      const fields = ['do', 'email', 'name', 'password', 'token', 'nonce', 'currency', 'initialCharge', 'priceVersion']
      const body = new URLSearchParams(
        [...fields, 'terms', 'reason', 'month', 'accountId', 'to', 'regions', 'companyName', 'description']
          .map((name): [string, string] => [name, odd.toWellFormed()])
          .concat([['regions', 'again']]),
      )
      await send('POST', path, body)
    }
  }
  expect(failed).toEqual([])
})

test('pages run no script, stand in no frame and are stored nowhere', async () => {
  const response = await fetch(`${url}/sign-in`)
  const policy = response.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/script-src|unsafe/)
  expect(policy).toContain("frame-ancestors 'none'")
  expect([response.headers.get('cache-control'), response.headers.get('x-content-type-options')]).toEqual([
    'no-store',
    'nosniff',
  ])
  const sheet = /href="(\/assets\/[^"]+)"/.exec(await response.text())?.[1] ?? ''
  const style = await fetch(url + sheet)
  expect([style.status, style.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
})
