/** Every route over a real service: what it does, and what it refuses. Money's own rules are tested where they live. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestHouse, type Answer, type Person, type SellableProduct, type TestHouse } from '../../../test/house.ts'
import { sampleProduct } from '../../../test/products.ts'

let house: TestHouse
let seller: Person
let buyer: Person
let stranger: Person
let product: SellableProduct
let subscriptionId: string

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-03T09:00:00Z') })
  seller = await house.newPerson()
  buyer = await house.newPerson()
  stranger = await house.newPerson()
  product = await house.town.sell(seller)
  await house.subscribe(buyer, product)
  const { subscriptions } = (await house.town.asked(buyer, 'GET', '/subscriptions')) as {
    subscriptions: { subscriptionId: string }[]
  }
  subscriptionId = subscriptions[0]?.subscriptionId ?? ''
})
afterAll(() => house.close())

const ask = (who: Person, method: string, path: string, body?: unknown): Promise<Answer> =>
  house.town.ask(who, method, path, body)
const asked = (who: Person, method: string, path: string, body?: unknown): Promise<Answer['body']> =>
  house.town.asked(who, method, path, body)

/** A refusal in full: status, code, the parameter it names and a piece of its sentence. */
async function expectRefused(
  answer: Promise<Answer>,
  status: number,
  code: string,
  parameter?: string,
  detail = '',
): Promise<void> {
  const { status: found, body } = await answer
  expect({ status: found, ...body }).toMatchObject({
    status,
    code,
    title: code,
    type: 'about:blank',
    detail: expect.stringContaining(detail),
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    ...(parameter !== undefined && { data: { parameter } }),
  })
}

const noSuchId = '00000000-0000-4000-8000-000000000000'

describe('parameters', () => {
  test.each([
    ['GET', '/products?limit=many', 'InvalidParameter', 'limit', 'limit is "many", not a whole number from 1 to 100.'],
    ['GET', '/products?limit=0', 'InvalidParameter', 'limit', 'limit is "0", not a whole number'],
    ['GET', '/products?limit=101', 'InvalidParameter', 'limit', 'from 1 to 100'],
    ['GET', '/products?limit=1&limit=2', 'InvalidParameter', 'limit', 'limit is ["1","2"]'],
    ['GET', '/products?state=sold', 'InvalidParameter', 'state', 'not one of draft, pending-approval'],
    ['GET', '/products?all=1', 'InvalidParameter', 'all', 'not true or false'],
    ['GET', '/products?sate=draft&limit=0', 'UnknownParameter', 'sate', 'it takes state, after, limit, all. limit is'],
    ['GET', '/account?limit=1', 'UnknownParameter', 'limit', '"limit" is no parameter of this address; it takes none.'],
    ['GET', '/products/%00', 'InvalidParameter', 'productCode', 'eight upper-case hex digits'],
    ['GET', '/invoices/12', 'InvalidParameter', 'invoiceId', 'not the id of a bill, a UUID'],
    ['GET', '/invoices?before=12', 'InvalidParameter', 'before', 'UUID'],
    ['GET', '/invoices?month=2026-13', 'InvalidParameter', 'month', 'month is "2026-13", not a month such as 2026-06.'],
    ['GET', '/estimate?month=June', 'InvalidParameter', 'month', '2026-06'],
    ['GET', '/subscriptions/12', 'InvalidParameter', 'subscriptionId', 'UUID'],
    ['POST', '/subscriptions/12/cancel', 'InvalidParameter', 'subscriptionId', 'UUID'],
    ['POST', '/subscriptions/12/activation-keys', 'InvalidParameter', 'subscriptionId', 'UUID'],
    ['GET', '/seller/payouts?before=last', 'InvalidParameter', 'before', 'not the number of a payout'],
    [
      'GET',
      '/seller/transactions?before=2026-06-01',
      'InvalidParameter',
      'before',
      'not the "next" of the page before',
    ],
    ['GET', '/seller/activity?month=0000-01', 'InvalidParameter', 'month', '2026-06'],
    ['DELETE', '/access-keys/me', 'InvalidParameter', 'accessKeyId', 'access key id'],
  ])('%s %s: %s', async (method, path, code, parameter, detail) => {
    await expectRefused(ask(seller, method, path), 400, code, parameter, detail)
  })

  test('a body that is missing, of another form, or not wanted', async () => {
    await expectRefused(
      ask(seller, 'POST', '/products'),
      400,
      'MissingParameter',
      'body',
      'JSON object with companyName, name',
    )
    await expectRefused(ask(seller, 'POST', '/products', []), 400, 'MissingParameter', 'body')
    const key = `/access-keys/${seller.accessKeyId}`
    await expectRefused(
      ask(seller, 'PATCH', key, {}),
      400,
      'MissingParameter',
      'active',
      'active is missing; give true or false.',
    )
    await expectRefused(
      ask(seller, 'PATCH', key, { active: 'no' }),
      400,
      'InvalidParameter',
      'active',
      'active is "no"',
    )
    await expectRefused(
      ask(seller, 'PATCH', key, { active: true, name: 1 }),
      400,
      'UnknownParameter',
      'name',
      'field of this body',
    )
    await expectRefused(
      ask(seller, 'POST', '/access-keys', { name: 'x' }),
      400,
      'UnknownParameter',
      'body',
      'takes no body',
    )
  })

  test('a body that is no JSON, or of another type', async () => {
    const authorization = `Basic ${btoa(`${seller.accessKeyId}:${seller.secretAccessKey}`)}`
    const send = async (body: string, type: string): Promise<[number, string | undefined]> => {
      const headers = { authorization, 'content-type': type }
      const answer = await fetch(`${house.service.url}/api/v1/products`, { method: 'POST', headers, body })
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      return [answer.status, ((await answer.json()) as { code?: string }).code]
    }
    expect(await send('{"companyName":', 'application/json')).toEqual([400, 'MalformedRequest'])
    expect(await send('companyName=ABC', 'application/x-www-form-urlencoded')).toEqual([415, 'UnsupportedMediaType'])
    expect(await send(`{"a":"${'x'.repeat(1024 * 1024)}"}`, 'application/json')).toEqual([413, 'RequestTooLarge'])
  })

  test('an address that does not exist', async () => {
    await expectRefused(ask(seller, 'GET', '/images'), 404, 'NotFound')
    await expectRefused(ask(seller, 'PUT', '/account', {}), 404, 'NotFound')
  })
})

describe('account', () => {
  test('who am I', async () => {
    expect(await asked(buyer, 'GET', '/account')).toEqual({
      accountId: buyer.accountId,
      name: 'Somebody',
      email: buyer.email,
      emailVerified: true,
      operator: false,
      createdAt: '2026-06-03T09:00:00.000Z',
    })
  })

  test('access keys: made, listed without secrets, deactivated, deleted, five at the most, no one else’s', async () => {
    const owner = await house.newPerson()
    const made = await asked(owner, 'POST', '/access-keys')
    expect(made).toEqual({
      accessKeyId: expect.stringMatching(/^[A-Z0-9]{20}$/),
      secretAccessKey: expect.stringMatching(/^.{40}$/),
      createdAt: '2026-06-03T09:00:00.000Z',
    })
    const path = `/access-keys/${String(made['accessKeyId'])}`
    await expectRefused(ask(stranger, 'PATCH', path, { active: false }), 404, 'NotFound')
    await expectRefused(ask(stranger, 'DELETE', path), 404, 'NotFound')
    expect(await asked(owner, 'PATCH', path, { active: false })).toMatchObject({ active: false })
    expect(await asked(owner, 'PATCH', path, { active: false })).toMatchObject({ active: false })
    const { accessKeys } = (await asked(owner, 'GET', '/access-keys')) as { accessKeys: unknown[] }
    expect(accessKeys).toHaveLength(2)
    expect(accessKeys).toContainEqual({ accessKeyId: made['accessKeyId'], active: false, createdAt: made['createdAt'] })
    for (let count = 2; count < 5; count += 1) await asked(owner, 'POST', '/access-keys')
    await expectRefused(ask(owner, 'POST', '/access-keys'), 429, 'LimitExceeded', undefined, 'Delete one')
    expect(await ask(owner, 'DELETE', path)).toEqual({ status: 204, body: {} })
    await expectRefused(ask(owner, 'DELETE', path), 404, 'NotFound')
  })
})

describe('products', () => {
  test('every bad field in one refusal, and nothing written', async () => {
    const nobody = await house.newPerson()
    const input = {
      ...sampleProduct(),
      redirectUrl: 'there',
      price: { monthly: 20 },
      colour: 'red',
      configuration: undefined,
    }
    const { status, body } = await ask(nobody, 'POST', '/products', input)
    expect({ status, code: body['code'], data: body['data'] }).toEqual({
      status: 400,
      code: 'InvalidParameter',
      data: {
        redirectUrl: 'is not a URL such as https://example.com/welcome',
        'price.monthly': 'is a decimal string such as "20.00"',
        configuration: 'is missing; give an object',
        colour: 'is not a field of a product',
      },
    })
    expect(await asked(nobody, 'GET', '/products')).toEqual({ products: [] })
  })

  test('an Idempotency-Key makes a repeat harmless', async () => {
    const owner = await house.newPerson()
    const register = async (name: string, key: string): Promise<Answer> => {
      const answer = await fetch(`${house.service.url}/api/v1/products`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa(`${owner.accessKeyId}:${owner.secretAccessKey}`)}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(sampleProduct({ name })),
      })
      return { status: answer.status, body: (await answer.json()) as Answer['body'] }
    }
    const first = await register('One', 'k-1')
    expect(first.status).toBe(201)
    expect(await register('One', 'k-1')).toEqual(first)
    await expectRefused(register('Two', 'k-1'), 409, 'IdempotencyMismatch')
    await expectRefused(register('Two', 'k 1'), 400, 'InvalidParameter', 'idempotency-key', 'without spaces')
    const { products } = (await asked(owner, 'GET', '/products')) as { products: unknown[] }
    expect(products).toHaveLength(1)
  })

  test('a draft is submitted, approved, withdrawn; each again changes nothing; out of turn is refused', async () => {
    const made = await asked(seller, 'POST', '/products', sampleProduct({ draft: true }))
    const { productCode, state } = made['product'] as { productCode: string; state: string }
    expect(state).toBe('draft')
    const path = `/products/${productCode}`
    const { operator } = house.town
    await expectRefused(ask(operator, 'POST', `${path}/approve`), 409, 'IncorrectState', undefined, 'is draft')
    expect(await asked(seller, 'POST', `${path}/submit`)).toMatchObject({ productCode, state: 'pending-approval' })
    expect(await asked(seller, 'POST', `${path}/submit`)).toMatchObject({ state: 'pending-approval' })
    await expectRefused(ask(seller, 'POST', `${path}/approve`), 403, 'Forbidden')
    await expectRefused(ask(stranger, 'POST', `${path}/submit`), 404, 'ProductNotFound')
    expect(await asked(operator, 'POST', `${path}/approve`)).toMatchObject({ state: 'approved' })
    expect(await asked(operator, 'POST', `${path}/approve`)).toMatchObject({ state: 'approved' })
    await expectRefused(ask(stranger, 'POST', `${path}/withdraw`), 404, 'ProductNotFound')
    expect(await asked(seller, 'POST', `${path}/withdraw`, {})).toMatchObject({ state: 'withdrawn' })
    await expectRefused(ask(operator, 'POST', `${path}/reject`, { reason: 'late' }), 409, 'IncorrectState')
  })

  test('a rejection says why', async () => {
    const made = await asked(seller, 'POST', '/products', sampleProduct())
    const path = `/products/${(made['product'] as { productCode: string }).productCode}/reject`
    const { operator } = house.town
    await expectRefused(ask(operator, 'POST', path), 400, 'MissingParameter', 'body')
    await expectRefused(ask(operator, 'POST', path, { reason: 7 }), 400, 'InvalidParameter', 'reason')
    await expectRefused(ask(operator, 'POST', path, { reason: ' ' }), 400, 'InvalidParameter')
    await expectRefused(ask(seller, 'POST', path, { reason: 'no' }), 403, 'Forbidden')
    const rejected = { state: 'rejected', stateReason: 'The terms are missing.' }
    expect(await asked(operator, 'POST', path, { reason: 'The terms are missing.' })).toMatchObject(rejected)
  })

  test('one’s own in full, another’s not at all, everyone’s for an operator', async () => {
    const path = `/products/${product.productCode}`
    const mine = await asked(seller, 'GET', path)
    expect(mine).toMatchObject({
      productCode: product.productCode,
      purchaseUrl: product.purchaseUrl,
      privateContactTelephone: '+1 206 555 0100',
      productToken: expect.stringMatching(/^\{ProductToken\}/),
      price: { version: 1, oneTime: '0.00', monthly: '20.00', effectiveAt: expect.stringMatching(/Z$/) },
    })
    expect((mine['price'] as { rates: unknown[] }).rates).toContainEqual({
      dimension: 'InstanceHours:us-east-1:linux:m1.large',
      rate: '0.50',
    })
    expect(mine['configuration']).toHaveLength(3)
    await expectRefused(ask(stranger, 'GET', path), 404, 'ProductNotFound')
    const seen = await asked(house.town.operator, 'GET', path)
    expect(seen).toMatchObject({ productCode: product.productCode })
    expect(seen).not.toHaveProperty('productToken')
    expect(await asked(stranger, 'GET', '/products')).toEqual({ products: [] })
    await expectRefused(ask(stranger, 'GET', '/products?all=true'), 403, 'Forbidden')
  })

  test('pages of products tile the list', async () => {
    const all = (await asked(house.town.operator, 'GET', '/products?all=true')) as unknown as Listed
    expect(all).not.toHaveProperty('next')
    const found: unknown[] = []
    let after = ''
    do {
      const page = (await asked(house.town.operator, 'GET', `/products?all=true&limit=2${after}`)) as unknown as Listed
      found.push(...page.products)
      after = page.next === undefined ? '' : `&after=${page.next}`
    } while (after !== '')
    expect(found).toEqual(all.products)
    const approved = (await asked(seller, 'GET', '/products?state=approved')) as unknown as Listed
    expect(approved.products.map(({ productCode }) => productCode)).toEqual([product.productCode])
  })

  test('a quote shows cost and markup; the rate card is for everyone', async () => {
    const { configuration, price, currency } = sampleProduct()
    const quote = await asked(stranger, 'POST', '/price-quotes', { configuration, price, currency })
    expect(quote).toMatchObject({ currency: 'USD', oneTime: '0.00', monthly: '20.00', rateCardVersion: 1 })
    expect((quote['rates'] as unknown[])[0]).toMatchObject({
      region: 'us-east-1',
      rate: '0.20',
      cloudRate: expect.stringMatching(/^0\.\d+$/),
      markup: expect.stringMatching(/^-?0\.\d+$/),
      markupPercent: expect.stringMatching(/^-?\d+\.\d\d$/),
    })
    await expectRefused(ask(stranger, 'POST', '/price-quotes', { configuration, price }), 400, 'InvalidParameter')
    await expectRefused(ask(stranger, 'POST', '/price-quotes'), 400, 'MissingParameter', 'body')
    expect(await asked(stranger, 'GET', '/rate-card')).toMatchObject({ version: 1, currency: 'USD' })
  })
})

interface Listed {
  readonly products: readonly { readonly productCode: string }[]
  readonly next?: string
}

describe('buyer', () => {
  test('subscriptions: one’s own, in pages', async () => {
    const { subscriptions } = (await asked(buyer, 'GET', '/subscriptions')) as { subscriptions: unknown[] }
    expect(subscriptions).toEqual([
      {
        subscriptionId,
        productCode: product.productCode,
        sellerAccountId: seller.accountId,
        state: 'active',
        createdAt: '2026-06-03T09:00:00.000Z',
        activatedAt: '2026-06-03T09:00:00.000Z',
      },
    ])
    expect(await asked(buyer, 'GET', `/subscriptions/${subscriptionId}`)).toEqual(subscriptions[0])
    expect(await asked(buyer, 'GET', `/subscriptions/${subscriptionId.toUpperCase()}`)).toEqual(subscriptions[0])
    await expectRefused(ask(stranger, 'GET', `/subscriptions/${subscriptionId}`), 404, 'NotFound')
    expect(await asked(buyer, 'GET', '/subscriptions?limit=1')).toMatchObject({ next: subscriptionId })
    expect(await asked(buyer, 'GET', `/subscriptions?after=${subscriptionId}`)).toEqual({ subscriptions: [] })
  })

  test('activation keys are the subscriber’s alone', async () => {
    const path = `/subscriptions/${subscriptionId}/activation-keys`
    expect(await asked(buyer, 'POST', path)).toEqual({ activationKey: expect.stringMatching(/^A[A-Z2-7]{27}$/) })
    await expectRefused(ask(stranger, 'POST', path), 404, 'NotFound')
    await expectRefused(ask(buyer, 'POST', `/subscriptions/${noSuchId}/activation-keys`), 404, 'NotFound')
  })

  test('bills with their lines; paying one that is paid changes nothing', async () => {
    const { invoices } = (await asked(buyer, 'GET', '/invoices')) as { invoices: { invoiceId: string }[] }
    const [bill] = invoices
    expect(invoices).toHaveLength(1)
    expect(bill).toMatchObject({ kind: 'sign-up', total: '18.67', amountDue: '18.67', state: 'paid', currency: 'USD' })
    const id = bill?.invoiceId ?? ''
    const detail = await asked(buyer, 'GET', `/invoices/${id}`)
    expect(detail).toMatchObject({ carried: [], lines: [{ kind: 'monthly', quantity: '1', amount: '18.67' }] })
    expect(await asked(buyer, 'POST', `/invoices/${id}/pay`)).toEqual({ state: 'succeeded' })
    await expectRefused(ask(stranger, 'GET', `/invoices/${id}`), 404, 'NotFound')
    await expectRefused(ask(stranger, 'POST', `/invoices/${id}/pay`), 404, 'NotFound')
    await expectRefused(ask(buyer, 'GET', `/invoices/${noSuchId}`), 404, 'NotFound')
    expect(await asked(buyer, 'GET', '/invoices?limit=1')).toMatchObject({ next: id })
    expect(await asked(buyer, 'GET', `/invoices?before=${id}`)).toEqual({ invoices: [] })
    await expectRefused(ask(buyer, 'GET', `/invoices?before=${noSuchId}`), 404, 'NotFound')
    expect(await asked(buyer, 'GET', '/invoices?month=2026-05')).toEqual({ invoices: [] })
  })

  test('the month so far', async () => {
    expect(await asked(buyer, 'GET', '/estimate')).toMatchObject({
      month: '2026-06',
      final: false,
      products: [{ productCode: product.productCode, amount: '18.67', currency: 'USD' }],
      totals: [{ amount: '18.67', currency: 'USD' }],
    })
    expect(await asked(stranger, 'GET', '/estimate')).toMatchObject({ products: [], totals: [] })
  })

  test('cancelling refunds the unused part once', async () => {
    const leaver = await house.newPerson()
    await house.subscribe(leaver, product)
    const { subscriptions } = (await asked(leaver, 'GET', '/subscriptions')) as {
      subscriptions: { subscriptionId: string }[]
    }
    const path = `/subscriptions/${subscriptions[0]?.subscriptionId}/cancel`
    await expectRefused(ask(stranger, 'POST', path), 404, 'NotFound')
    const cancelled = await asked(leaver, 'POST', path)
    expect(cancelled).toMatchObject({
      cancelled: true,
      refund: { amount: '18.00', currency: 'USD' },
      subscription: { state: 'cancelled', endReason: 'cancelled-by-buyer', endedAt: '2026-06-03T09:00:00.000Z' },
    })
    const again = await asked(leaver, 'POST', path)
    expect(again).toEqual({ cancelled: false, subscription: cancelled['subscription'] })
    const keys = `/subscriptions/${subscriptions[0]?.subscriptionId}/activation-keys`
    await expectRefused(ask(leaver, 'POST', keys), 409, 'IncorrectState', undefined, 'has ended')
  })
})

describe('seller', () => {
  test('activity, subscribers and transactions of the seller’s own products', async () => {
    const activity = await asked(seller, 'GET', '/seller/activity')
    expect(activity).toMatchObject({ month: '2026-06' })
    const [figures] = (activity['products'] as Record<string, unknown>[]).filter(
      (one) => one['productCode'] === product.productCode,
    )
    expect(figures).toMatchObject({ monthly: '37.34', refunds: '18.00', transactionFees: '0.60', transactions: 2 })
    expect(await asked(stranger, 'GET', '/seller/activity')).toEqual({ month: '2026-06', products: [], totals: [] })
    const report = await asked(seller, 'GET', `/seller/subscription-report?productCode=${product.productCode}`)
    const counts = { subscribed: 1, subscribedNew: 1, cancelled: 1 }
    expect(report).toEqual({
      month: '2026-06',
      ...counts,
      products: [{ productCode: product.productCode, name: 'ABC AMI', ...counts }],
    })
  })

  test('pages of transactions tile the list and add up to the balance', async () => {
    const all = await asked(seller, 'GET', '/seller/transactions')
    const transactions = all['transactions'] as { amount: string; transferId: string }[]
    expect(transactions.map(({ amount }) => amount).toSorted()).toEqual(['-0.30', '-0.30', '-18.00', '18.67', '18.67'])
    expect(all['balances']).toEqual([{ amount: '18.74', currency: 'USD' }])
    const found: unknown[] = []
    let before = ''
    do {
      const page = await asked(seller, 'GET', `/seller/transactions?limit=2${before}`)
      found.push(...(page['transactions'] as unknown[]))
      before = page['next'] === undefined ? '' : `&before=${page['next'] as string}`
    } while (before !== '')
    expect(found).toEqual(transactions)
    expect(await asked(seller, 'GET', '/seller/transactions?month=2026-05')).toMatchObject({ transactions: [] })
  })

  test('a seller without payouts has none', async () => {
    expect(await asked(seller, 'GET', '/seller/payouts')).toEqual({ payouts: [] })
  })
})

describe('operator', () => {
  test.each([
    ['GET', '/accounts'],
    ['GET', '/mails'],
    ['GET', '/proof'],
    ['POST', '/months/2026-05/close'],
    ['GET', '/months/2026-05/parked'],
    ['POST', '/months/2026-05/parked/123456789012/release'],
    ['POST', '/sellers/123456789012/verify-bank-account'],
  ])('%s %s is for operators only', async (method, path) => {
    await expectRefused(ask(stranger, method, path), 403, 'Forbidden')
  })

  test('accounts in pages', async () => {
    const { operator } = house.town
    const all = (await asked(operator, 'GET', '/accounts')) as { accounts: { accountId: string }[] }
    expect(all.accounts.map(({ accountId }) => accountId)).toContain(buyer.accountId)
    const page = (await asked(operator, 'GET', '/accounts?limit=2')) as { accounts: unknown[]; next: string }
    expect(page.accounts).toEqual(all.accounts.slice(0, 2))
    const rest = (await asked(operator, 'GET', `/accounts?after=${page.next}`)) as { accounts: unknown[] }
    expect(rest.accounts).toEqual(all.accounts.slice(2))
    await expectRefused(ask(operator, 'GET', '/accounts?after=1'), 400, 'InvalidParameter', 'after', 'twelve digits')
  })

  test('mails in pages, of one recipient', async () => {
    const { operator } = house.town
    const first = (await asked(operator, 'GET', `/mails?recipient=${buyer.email}&limit=1`)) as {
      mails: { recipient: string; textBody: string }[]
      next: string
    }
    expect(first.mails).toMatchObject([{ recipient: buyer.email, kind: expect.any(String) }])
    const rest = await asked(operator, 'GET', `/mails?recipient=${buyer.email}&before=${first.next}`)
    expect(rest['mails']).not.toContainEqual(first.mails[0])
    await expectRefused(ask(operator, 'GET', '/mails?recipient=%00'), 400, 'InvalidParameter', 'recipient')
    await expectRefused(ask(operator, 'GET', '/mails?before=x'), 400, 'InvalidParameter', 'before')
  })

  test('a seller’s bank account is verified; someone who sells nothing is no seller', async () => {
    const { operator } = house.town
    const path = `/sellers/${seller.accountId}/verify-bank-account`
    const verified = { sellerAccountId: seller.accountId, companyName: 'ABC Software', bankAccountVerified: true }
    expect(await asked(operator, 'POST', path)).toEqual(verified)
    expect(await asked(operator, 'POST', path)).toEqual(verified)
    const none = `/sellers/${stranger.accountId}/verify-bank-account`
    await expectRefused(ask(operator, 'POST', none), 404, 'NotFound', undefined, 'is no seller')
  })

  test('the clock moves forward only, and what falls due on the way happens', async () => {
    const { operator } = house.town
    const now = '2026-06-03T09:00:00.000Z'
    expect(await asked(stranger, 'GET', '/clock')).toEqual({ kind: 'manual', now })
    await expectRefused(ask(stranger, 'POST', '/clock/advance', { to: now }), 403, 'Forbidden')
    await expectRefused(
      ask(operator, 'POST', '/clock/advance', { to: 'soon' }),
      400,
      'InvalidParameter',
      'to',
      'an instant such',
    )
    await expectRefused(
      ask(operator, 'POST', '/clock/advance', { to: '2026-06-01' }),
      400,
      'InvalidParameter',
      undefined,
      'forward',
    )
    await expectRefused(
      ask(operator, 'POST', '/months/2026-06/close'),
      409,
      'IncorrectState',
      undefined,
      'has not ended',
    )
    const moved = await asked(operator, 'POST', '/clock/advance', { to: '2026-07-07T00:00:00Z' })
    const names = (moved['steps'] as { name: string }[]).map(({ name }) => name)
    expect(moved['now']).toBe('2026-07-07T00:00:00.000Z')
    expect(names).toEqual(expect.arrayContaining(['month-close', 'collection', 'settlement', 'payout']))
    expect(names.at(-1)).toBe('clock')
    expect(await asked(operator, 'POST', '/clock/advance', { to: '2026-07-07' })).toMatchObject({
      steps: [{ name: 'clock' }],
    })
  })

  test('a closed month is closed once; nobody is parked; the books are proven; the seller was paid', async () => {
    const { operator } = house.town
    const closed = { month: '2026-06', done: 2, total: 2, parked: 0, finished: true }
    expect(await asked(operator, 'POST', '/months/2026-06/close')).toEqual(closed)
    expect(await asked(operator, 'GET', '/months/2026-06/parked')).toEqual({ parked: [] })
    const release = `/months/2026-06/parked/${buyer.accountId}/release`
    await expectRefused(ask(operator, 'POST', release), 404, 'NotFound', undefined, 'is not parked')
    const proof = await asked(operator, 'GET', '/proof')
    expect(proof).toMatchObject({ ok: true })
    expect((proof['checks'] as unknown[]).length).toBeGreaterThan(5)
    const { payouts } = (await asked(seller, 'GET', '/seller/payouts')) as { payouts: { payoutNumber: number }[] }
    expect(payouts.at(-1)).toMatchObject({ payoutNumber: 1, state: 'paid', currency: 'USD', amount: '18.16' })
    const page = await asked(seller, 'GET', '/seller/payouts?limit=1')
    expect(page['next']).toBe(String(payouts[0]?.payoutNumber))
  })
})
