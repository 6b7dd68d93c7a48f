/** Parameters, accounts and products over a real service: what the routes do, and what they refuse. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestHouse, type Answer, type Person, type SellableProduct, type TestHouse } from '../../../test/house.ts'
import { sampleProduct } from '../../../test/products.ts'
import { refusal } from '../../../test/refusal.ts'

let house: TestHouse
let seller: Person
let buyer: Person
let stranger: Person
let product: SellableProduct

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-03T09:00:00Z') })
  seller = await house.newPerson()
  buyer = await house.newPerson()
  stranger = await house.newPerson()
  product = await house.town.sell(seller)
})
afterAll(() => house.close())

const ask = (who: Person, method: string, path: string, body?: unknown): Promise<Answer> =>
  house.town.ask(who, method, path, body)
const asked = (who: Person, method: string, path: string, body?: unknown): Promise<Answer['body']> =>
  house.town.asked(who, method, path, body)

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
    expect(await ask(seller, method, path)).toMatchObject(refusal(400, code, parameter, detail))
  })

  test('a body that is missing, of another form, or not wanted', async () => {
    expect(await ask(seller, 'POST', '/products')).toMatchObject(
      refusal(400, 'MissingParameter', 'body', 'JSON object with companyName, name'),
    )
    expect(await ask(seller, 'POST', '/products', [])).toMatchObject(refusal(400, 'MissingParameter', 'body'))
    const key = `/access-keys/${seller.accessKeyId}`
    expect(await ask(seller, 'PATCH', key, {})).toMatchObject(
      refusal(400, 'MissingParameter', 'active', 'active is missing; give true or false.'),
    )
    expect(await ask(seller, 'PATCH', key, { active: 'no' })).toMatchObject(
      refusal(400, 'InvalidParameter', 'active', 'active is "no"'),
    )
    expect(await ask(seller, 'PATCH', key, { active: true, name: 1 })).toMatchObject(
      refusal(400, 'UnknownParameter', 'name', 'field of this body'),
    )
    expect(await ask(seller, 'POST', '/access-keys', { name: 'x' })).toMatchObject(
      refusal(400, 'UnknownParameter', 'body', 'takes no body'),
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
    expect(await ask(seller, 'GET', '/images')).toMatchObject(refusal(404, 'NotFound'))
    expect(await ask(seller, 'PUT', '/account', {})).toMatchObject(refusal(404, 'NotFound'))
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
    expect(await ask(stranger, 'PATCH', path, { active: false })).toMatchObject(refusal(404, 'NotFound'))
    expect(await ask(stranger, 'DELETE', path)).toMatchObject(refusal(404, 'NotFound'))
    expect(await asked(owner, 'PATCH', path, { active: false })).toMatchObject({ active: false })
    expect(await asked(owner, 'PATCH', path, { active: false })).toMatchObject({ active: false })
    const { accessKeys } = (await asked(owner, 'GET', '/access-keys')) as { accessKeys: unknown[] }
    expect(accessKeys).toHaveLength(2)
    expect(accessKeys).toContainEqual({ accessKeyId: made['accessKeyId'], active: false, createdAt: made['createdAt'] })
    for (let count = 2; count < 5; count += 1) await asked(owner, 'POST', '/access-keys')
    expect(await ask(owner, 'POST', '/access-keys')).toMatchObject(
      refusal(429, 'LimitExceeded', undefined, 'Delete one'),
    )
    expect(await ask(owner, 'DELETE', path)).toEqual({ status: 204, body: {} })
    expect(await ask(owner, 'DELETE', path)).toMatchObject(refusal(404, 'NotFound'))
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
    expect(await register('Two', 'k-1')).toMatchObject(refusal(409, 'IdempotencyMismatch'))
    expect(await register('Two', 'k 1')).toMatchObject(
      refusal(400, 'InvalidParameter', 'idempotency-key', 'without spaces'),
    )
    const { products } = (await asked(owner, 'GET', '/products')) as { products: unknown[] }
    expect(products).toHaveLength(1)
  })

  test('a draft is submitted, approved, withdrawn; each again changes nothing; out of turn is refused', async () => {
    const made = await asked(seller, 'POST', '/products', sampleProduct({ draft: true }))
    const { productCode, state } = made['product'] as { productCode: string; state: string }
    expect(state).toBe('draft')
    const path = `/products/${productCode}`
    const { operator } = house.town
    expect(await ask(operator, 'POST', `${path}/approve`)).toMatchObject(
      refusal(409, 'IncorrectState', undefined, 'is draft'),
    )
    expect(await asked(seller, 'POST', `${path}/submit`)).toMatchObject({ productCode, state: 'pending-approval' })
    expect(await asked(seller, 'POST', `${path}/submit`)).toMatchObject({ state: 'pending-approval' })
    expect(await ask(seller, 'POST', `${path}/approve`)).toMatchObject(refusal(403, 'Forbidden'))
    expect(await ask(stranger, 'POST', `${path}/submit`)).toMatchObject(refusal(404, 'ProductNotFound'))
    expect(await asked(operator, 'POST', `${path}/approve`)).toMatchObject({ state: 'approved' })
    expect(await asked(operator, 'POST', `${path}/approve`)).toMatchObject({ state: 'approved' })
    expect(await ask(stranger, 'POST', `${path}/withdraw`)).toMatchObject(refusal(404, 'ProductNotFound'))
    expect(await asked(seller, 'POST', `${path}/withdraw`, {})).toMatchObject({ state: 'withdrawn' })
    expect(await ask(operator, 'POST', `${path}/reject`, { reason: 'late' })).toMatchObject(
      refusal(409, 'IncorrectState'),
    )
  })

  test('a rejection says why', async () => {
    const made = await asked(seller, 'POST', '/products', sampleProduct())
    const path = `/products/${(made['product'] as { productCode: string }).productCode}/reject`
    const { operator } = house.town
    expect(await ask(operator, 'POST', path)).toMatchObject(refusal(400, 'MissingParameter', 'body'))
    expect(await ask(operator, 'POST', path, { reason: 7 })).toMatchObject(refusal(400, 'InvalidParameter', 'reason'))
    expect(await ask(operator, 'POST', path, { reason: ' ' })).toMatchObject(refusal(400, 'InvalidParameter'))
    expect(await ask(seller, 'POST', path, { reason: 'no' })).toMatchObject(refusal(403, 'Forbidden'))
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
    expect(await ask(stranger, 'GET', path)).toMatchObject(refusal(404, 'ProductNotFound'))
    const seen = await asked(house.town.operator, 'GET', path)
    expect(seen).toMatchObject({ productCode: product.productCode })
    expect(seen).not.toHaveProperty('productToken')
    expect(await asked(stranger, 'GET', '/products')).toEqual({ products: [] })
    expect(await ask(stranger, 'GET', '/products?all=true')).toMatchObject(refusal(403, 'Forbidden'))
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
    expect(await ask(stranger, 'POST', '/price-quotes', { configuration, price })).toMatchObject(
      refusal(400, 'InvalidParameter'),
    )
    expect(await ask(stranger, 'POST', '/price-quotes')).toMatchObject(refusal(400, 'MissingParameter', 'body'))
    expect(await asked(stranger, 'GET', '/rate-card')).toMatchObject({ version: 1, currency: 'USD' })
  })
})

interface Listed {
  readonly products: readonly { readonly productCode: string }[]
  readonly next?: string
}
