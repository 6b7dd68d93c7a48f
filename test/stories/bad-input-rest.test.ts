/** Bad input at the REST API and the webhooks: a clear refusal with the right code and status, and nothing changed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestTables } from '../books-summary.ts'
import { openEstate, type Estate } from '../estate.ts'
import type { Person } from '../house.ts'
import { sampleProduct } from '../products.ts'

let estate: Estate
let house: Estate['house']
let seller: Estate['seller']
let buyer: Estate['buyer']
let stranger: Estate['stranger']
let product: Estate['product']
let subscriptionId: Estate['subscriptionId']
let invoiceId: Estate['invoiceId']

beforeAll(async () => {
  estate = await openEstate()
  ;({ house, seller, buyer, stranger, product, subscriptionId, invoiceId } = estate)
}, 60_000)
afterAll(() => house.close())

const unchanged = async (): Promise<void> => expect(await digestTables(house.pool)).toEqual(estate.before)

describe('the REST API refuses', () => {
  type Case = readonly [
    name: string,
    who: () => Person,
    method: string,
    path: () => string,
    body: unknown,
    status: number,
    code: string,
  ]
  const operator = () => house.town.operator
  const refused: readonly Case[] = [
    ['an unknown address', () => buyer, 'GET', () => '/nothing', undefined, 404, 'NotFound'],
    [
      'an unknown field',
      () => buyer,
      'PATCH',
      () => `/access-keys/${buyer.accessKeyId}`,
      { active: true, admin: true },
      400,
      'UnknownParameter',
    ],
    [
      'a wrong type',
      () => buyer,
      'PATCH',
      () => `/access-keys/${buyer.accessKeyId}`,
      { active: 'yes' },
      400,
      'InvalidParameter',
    ],
    [
      "someone else's access key",
      () => stranger,
      'PATCH',
      () => `/access-keys/${buyer.accessKeyId}`,
      { active: false },
      404,
      'NotFound',
    ],
    [
      "deleting someone else's access key",
      () => stranger,
      'DELETE',
      () => `/access-keys/${buyer.accessKeyId}`,
      undefined,
      404,
      'NotFound',
    ],
    ['a product with nothing in it', () => seller, 'POST', () => '/products', {}, 400, 'InvalidParameter'],
    ['a product that is no object', () => seller, 'POST', () => '/products', [1], 400, 'MissingParameter'],
    [
      'a price that is a number',
      () => seller,
      'POST',
      () => '/products',
      { ...sampleProduct(), price: { monthly: 20 } },
      400,
      'InvalidParameter',
    ],
    [
      'a price below nothing',
      () => seller,
      'POST',
      () => '/products',
      sampleProduct({ price: { monthly: '-20.00' } }),
      400,
      'InvalidParameter',
    ],
    [
      'a price of half cents',
      () => seller,
      'POST',
      () => '/products',
      sampleProduct({ price: { monthly: '0.005' } }),
      400,
      'InvalidParameter',
    ],
    [
      'a price beyond counting',
      () => seller,
      'POST',
      () => '/products',
      sampleProduct({ price: { monthly: '9'.repeat(40) } }),
      400,
      'InvalidParameter',
    ],
    [
      'a script as redirect',
      () => seller,
      'POST',
      () => '/products',
      sampleProduct({ redirectUrl: 'javascript:alert(1)' }),
      400,
      'InvalidParameter',
    ],
    [
      'a region the cloud has not',
      () => seller,
      'POST',
      () => '/products',
      sampleProduct({ configuration: { regions: ['mars-1'], environments: ['linux'], instanceTypes: ['m1.small'] } }),
      400,
      'InvalidParameter',
    ],
    [
      'an approval by the seller',
      () => seller,
      'POST',
      () => `/products/${product.productCode}/approve`,
      undefined,
      403,
      'Forbidden',
    ],
    [
      "the withdrawal of someone else's product",
      () => buyer,
      'POST',
      () => `/products/${product.productCode}/withdraw`,
      undefined,
      404,
      'ProductNotFound',
    ],
    [
      'an approval of what is approved by rejecting it',
      operator,
      'POST',
      () => `/products/${product.productCode}/reject`,
      { reason: 'late' },
      409,
      'IncorrectState',
    ],
    [
      'a product that is not there',
      operator,
      'POST',
      () => '/products/00000000/approve',
      undefined,
      404,
      'ProductNotFound',
    ],
    [
      "someone else's product",
      () => stranger,
      'GET',
      () => `/products/${product.productCode}`,
      undefined,
      404,
      'ProductNotFound',
    ],
    [
      "someone else's subscription",
      () => stranger,
      'POST',
      () => `/subscriptions/${subscriptionId}/cancel`,
      undefined,
      404,
      'NotFound',
    ],
    [
      "a key of someone else's subscription",
      () => stranger,
      'POST',
      () => `/subscriptions/${subscriptionId}/activation-keys`,
      undefined,
      404,
      'NotFound',
    ],
    [
      'a subscription that is no id',
      () => buyer,
      'POST',
      () => '/subscriptions/1/cancel',
      undefined,
      400,
      'InvalidParameter',
    ],
    ["someone else's bill", () => stranger, 'GET', () => `/invoices/${invoiceId}`, undefined, 404, 'NotFound'],
    [
      "paying someone else's bill",
      () => stranger,
      'POST',
      () => `/invoices/${invoiceId}/pay`,
      undefined,
      404,
      'NotFound',
    ],
    ['a bill that is no id', () => buyer, 'GET', () => '/invoices/1', undefined, 400, 'InvalidParameter'],
    ['a month that is none', () => buyer, 'GET', () => '/estimate?month=2026-13', undefined, 400, 'InvalidParameter'],
    ['too long a page', () => buyer, 'GET', () => '/invoices?limit=1000000', undefined, 400, 'InvalidParameter'],
    ['accounts for a buyer', () => buyer, 'GET', () => '/accounts', undefined, 403, 'Forbidden'],
    ['the mailbox for a buyer', () => buyer, 'GET', () => '/mails', undefined, 403, 'Forbidden'],
    ['the proof for a seller', () => seller, 'GET', () => '/proof', undefined, 403, 'Forbidden'],
    ['the clock moved by a buyer', () => buyer, 'POST', () => '/clock/advance', { to: '2027-01-01' }, 403, 'Forbidden'],
    ['the clock moved back', operator, 'POST', () => '/clock/advance', { to: '2020-01-01' }, 400, 'InvalidParameter'],
    [
      'the clock moved to nowhere',
      operator,
      'POST',
      () => '/clock/advance',
      { to: 'tomorrow' },
      400,
      'InvalidParameter',
    ],
    ['a month closed by a buyer', () => buyer, 'POST', () => '/months/2026-05/close', undefined, 403, 'Forbidden'],
    ['a month that has not ended', operator, 'POST', () => '/months/2026-06/close', undefined, 409, 'IncorrectState'],
    [
      'a bank account of nobody',
      operator,
      'POST',
      () => '/sellers/000000000000/verify-bank-account',
      undefined,
      404,
      'NotFound',
    ],
    [
      "a seller's own word for the bank account",
      () => seller,
      'POST',
      () => `/sellers/${seller.accountId}/verify-bank-account`,
      undefined,
      403,
      'Forbidden',
    ],
  ]

  test.each(refused)('%s', async (_name, who, method, path, body, status, code) => {
    const answer = await house.town.ask(who(), method, path(), body)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    expect(String(answer.body['detail']).length).toBeGreaterThan(10)
    await unchanged()
  })

  test.each([
    ['half of a JSON', '{"active":', 'application/json', 400],
    ['nothing', '', 'application/json', 400],
    ['a form', 'active=false', 'application/x-www-form-urlencoded', 415],
    ['poison for prototypes', '{"__proto__":{"active":false}}', 'application/json', 400],
    ['a body over a mebibyte', JSON.stringify({ active: 'x'.repeat(1_100_000) }), 'application/json', 413],
  ] as const)('%s as the body', async (_name, body, type, status) => {
    const authorization = `Basic ${Buffer.from(`${buyer.accessKeyId}:${buyer.secretAccessKey}`).toString('base64')}`
    const url = `${house.town.url}/api/v1/access-keys/${buyer.accessKeyId}`
    const answer = await fetch(url, { method: 'PATCH', headers: { authorization, 'content-type': type }, body })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ])
    expect(await answer.json()).toMatchObject({ status, detail: expect.any(String) as string })
    await unchanged()
  })

  test.each([
    ['nobody', undefined],
    ['a wrong secret', (): string => `Basic ${Buffer.from(`${buyer.accessKeyId}:wrong`).toString('base64')}`],
    ['an unknown key', (): string => `Basic ${Buffer.from('AKIAAAAAAAAAAAAAAAAA:wrong').toString('base64')}`],
    ['another scheme', (): string => 'Bearer token'],
    ['what is no base64', (): string => 'Basic %%%'],
  ] as const)('%s', async (_name, authorization) => {
    const headers = authorization === undefined ? {} : { authorization: authorization() }
    const answer = await fetch(`${house.town.url}/api/v1/access-keys`, { method: 'POST', headers })
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, 'Unauthenticated'])
    await unchanged()
  })
})

describe('the webhooks refuse', () => {
  test.each([
    ['no signature', '{"id":"evt_1"}', {}, 401],
    ['a signature of nobody', '{"id":"evt_1"}', { 'stripe-signature': 't=1,v1=00' }, 401],
    ['a signature that is none', '{"id":"evt_1"}', { 'stripe-signature': 'nonsense' }, 401],
    ['what is not JSON', 'id=evt_1', { 'stripe-signature': 't=1,v1=00', 'content-type': 'text/plain' }, 415],
    ['a body over a mebibyte', 'x'.repeat(1_100_000), { 'stripe-signature': 't=1,v1=00' }, 413],
  ] as const)('%s', async (_name, body, headers, status) => {
    const answer = await fetch(`${house.town.url}/hooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ])
    await unchanged()
  })
})
