import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newAccount, newProduct, sampleProduct, sampleRateCard } from '../../test/products.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { findSeller } from '../accounts/ensure-seller.ts'
import { grantOperator } from '../accounts/grant-operator.ts'
import { listAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import { newOfferingCode } from '../base/ids.ts'
import { sha256Hex } from '../base/seal.ts'
import { listMails } from '../notices/read-mailbox.ts'
import { configurationAllows, configurationOf } from './allows.ts'
import { approveProduct } from './approve-product.ts'
import { findProduct, findProductByOffering, listProducts, productToken } from './find-product.ts'
import { loadRateCard } from './load-rate-card.ts'
import { priceInForce, priceVersions } from './price-in-force.ts'
import type { ProductInput } from './product-input.ts'
import { registerProduct } from './register-product.ts'
import { rejectProduct } from './reject-product.ts'
import { submitProduct } from './submit-product.ts'
import { withdrawProduct } from './withdraw-product.ts'

let house: TestDatabase
let seller: string
let operator: string
beforeAll(async () => {
  house = await testDatabase()
  await house.database.transaction((tx) => loadRateCard(tx, sampleRateCard))
  seller = await newAccount(house.database)
  operator = await newAccount(house.database)
  await house.database.transaction((tx) => grantOperator(tx, { accountId: operator, actor: 'system' }))
})
afterAll(() => house.close())

const register = (input: unknown, clientToken?: string, accountId = seller) =>
  house.database.transaction((tx) => registerProduct(tx, { accountId, clientToken, input: input as ProductInput }))

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  if (error instanceof Fault) return error
  throw error
}

const countProducts = async () =>
  (await house.pool.query<{ count: bigint }>('select count(*) from product')).rows[0]?.count

describe('registering', () => {
  test('gives codes, token and purchase URL, makes the seller and the first price', async () => {
    const account = await newAccount(house.database)
    const { product, productToken: token, purchaseUrl } = await register(sampleProduct(), undefined, account)
    expect(product.productCode).toMatch(/^[0-9A-F]{8}$/)
    expect(product.offeringCode).toMatch(/^[0-9A-F]{8}$/)
    expect(product.offeringCode).not.toBe(product.productCode)
    expect(product).toMatchObject({ state: 'pending-approval', endOfAccessPolicy: 'stop', sellerAccountId: account })
    expect(purchaseUrl).toBe(`http://127.0.0.1:8080/purchase/${product.offeringCode}`)
    expect(token).toMatch(/^\{ProductToken\}[A-Za-z0-9+/]{128}$/)
    await house.database.read(async (tx) => {
      expect(await productToken(tx, product.productCode)).toBe(token)
      expect(await findProduct(tx, product.productCode)).toEqual(product)
      expect(await findProductByOffering(tx, product.offeringCode)).toEqual(product)
      expect(await listProducts(tx, { sellerAccountId: account })).toEqual([product])
      expect(await findSeller(tx, account)).toMatchObject({ companyName: 'ABC Software' })
      expect((await configurationOf(tx, product.productCode)).map((row) => row.instanceType)).toEqual([
        'm1.large',
        'm1.small',
        'm1.xlarge',
      ])
      const price = await priceInForce(tx, product.productCode, tx.now)
      expect(price).toMatchObject({ version: 1, oneTime: 0n, monthly: 2000n, currency: 'USD', effectiveAt: tx.now })
      expect(price.rates.get('InstanceHours:us-east-1:linux:m1.large')).toBe(500_000_000n)
      expect(await priceVersions(tx, product.productCode)).toEqual([price])
      await expect(priceInForce(tx, product.productCode, new Date(tx.now.getTime() - 1))).rejects.toMatchObject({
        code: 'ProductNotFound',
      })
      expect(await listAudit(tx, { accountId: account })).toContainEqual(
        expect.objectContaining({ action: 'product.register', subject: product.productCode, actor: account }),
      )
    })
    const stored = await house.pool.query<{ product_token_sealed: Buffer; product_token_sha256: string }>(
      'select product_token_sealed, product_token_sha256 from product where product_code = $1',
      [product.productCode],
    )
    expect(stored.rows[0]?.product_token_sha256).toBe(sha256Hex(token))
    expect(stored.rows[0]?.product_token_sealed.includes(token.slice(14))).toBe(false)
  })

  test('text is trimmed, line ends are unified, URLs are written as browsers do', async () => {
    const { product } = await register(
      sampleProduct({
        name: '  ABC AMI \n',
        description: 'One.\r\nTwo.\t',
        terms: 'Be good.',
        redirectUrl: ' HTTPS://Abc.Example.COM/a b?x=1#top ',
        publicContact: 'https://abc.example.com',
      }),
    )
    expect(product).toMatchObject({
      name: 'ABC AMI',
      description: 'One.\nTwo.',
      terms: 'Be good.',
      redirectUrl: 'https://abc.example.com/a%20b?x=1#top',
      publicContact: 'https://abc.example.com/',
    })
  })

  test('an account whose e-mail address is not verified registers nothing', async () => {
    const account = await newAccount(house.database, 'Unproven', false)
    const fault = await faultOf(register(sampleProduct(), undefined, account))
    expect(fault.code).toBe('Forbidden')
    await house.database.read(async (tx) => expect(await findSeller(tx, account)).toBeUndefined())
  })

  const lists = { regions: ['us-east-1'], environments: ['linux'], instanceTypes: ['m1.small'] }
  const rate = { region: 'us-east-1', environment: 'linux', instanceType: 'm1.small', rate: '0.20' }
  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ['no company name', { companyName: undefined }, 'companyName', /missing/],
    ['a blank name', { name: '  ' }, 'name', /empty/],
    ['a name too long', { name: 'x'.repeat(101) }, 'name', /more than 100/],
    ['a control character', { name: 'a\u0007b' }, 'name', /control characters/],
    ['a line break in a line', { companyName: 'a\nb' }, 'companyName', /control characters/],
    ['a reversed reading direction', { name: 'a\u202eb' }, 'name', /control characters/],
    ['half a character', { name: 'a\ud800b' }, 'name', /control characters/],
    ['a NUL in the description', { description: 'a\0b' }, 'description', /control characters/],
    ['a script URL', { redirectUrl: 'javascript:alert(1)' }, 'redirectUrl', /http or https/],
    ['a URL with a password', { redirectUrl: 'https://me:secret@example.com/' }, 'redirectUrl', /password/],
    ['no URL', { redirectUrl: 'example.com' }, 'redirectUrl', /not a URL/],
    ['a URL too long', { redirectUrl: `https://example.com/${'a'.repeat(2000)}` }, 'redirectUrl', /more than 2000/],
    [
      'a URL with our parameter',
      { redirectUrl: 'https://example.com/?ActivationKey=1' },
      'redirectUrl',
      /ActivationKey/,
    ],
    ['empty terms', { terms: '' }, 'terms', /empty/],
    ['a bad e-mail address', { privateContactEmail: 'nobody' }, 'privateContactEmail', /e-mail/],
    ['letters for a telephone', { privateContactTelephone: 'call me' }, 'privateContactTelephone', /telephone/],
    ['a contact that is neither', { publicContact: 'ftp://example.com' }, 'publicContact', /neither/],
    ['no regions', { configuration: { ...lists, regions: [] } }, 'configuration.regions', /at least one/],
    [
      'an unknown region',
      { configuration: { ...lists, regions: ['moon-1'] } },
      'configuration.regions[0]',
      /"moon-1".*us-east-1/,
    ],
    [
      'an unknown type',
      { configuration: { ...lists, instanceTypes: ['m1.small', 'm9.huge'] } },
      'configuration.instanceTypes[1]',
      /m9\.huge/,
    ],
    [
      'a type twice',
      { configuration: { ...lists, instanceTypes: ['m1.small', 'm1.small'] } },
      'configuration.instanceTypes[1]',
      /twice/,
    ],
    ['a price for nothing', { price: {} }, 'price', /charges nothing/],
    ['a price of zero', { price: { oneTime: '0', monthly: '0.00' } }, 'price', /charges nothing/],
    ['a negative charge', { price: { monthly: '-1' } }, 'price.monthly', /negative/],
    ['a fraction of a cent', { price: { oneTime: '1.005' } }, 'price.oneTime', /finer/],
    ['an absurd charge', { price: { oneTime: '1000000.01' } }, 'price.oneTime', /more than 1000000/],
    ['a number for a charge', { price: { monthly: 20 } }, 'price.monthly', /decimal string/],
    [
      'a rate outside the configuration',
      { configuration: lists, price: { rates: [{ ...rate, instanceType: 'm1.large' }] } },
      'price.rates[0]',
      /does not cover/,
    ],
    [
      'two rates for one dimension',
      { configuration: lists, price: { rates: [rate, rate] } },
      'price.rates[1]',
      /second rate/,
    ],
    [
      'a rate with ten decimals',
      { configuration: lists, price: { rates: [{ ...rate, rate: '0.0000000001' }] } },
      'price.rates[0].rate',
      /finer/,
    ],
    ['another currency', { currency: 'EUR' }, 'currency', /for now.*USD/],
    ['no currency at all', { currency: 'ZZZ' }, 'currency', /not a known currency/],
    ['an unknown policy', { endOfAccessPolicy: 'explode' }, 'endOfAccessPolicy', /stop, terminate, leave-running/],
    ['an unknown field', { colour: 'red' }, 'colour', /not a field/],
  ])('%s is refused by name', async (_name, change, field, sentence) => {
    const before = await countProducts()
    const fault = await faultOf(register({ ...sampleProduct(), ...change }))
    expect(fault.code).toBe('InvalidParameter')
    expect(Object.keys(fault.data)).toContain(field)
    expect(fault.data[field]).toMatch(sentence)
    expect(fault.message).toContain(field)
    expect(await countProducts()).toBe(before)
  })

  test('every bad field is named at once', async () => {
    const fault = await faultOf(register({ ...sampleProduct(), name: '', redirectUrl: 'x', currency: 'ZZZ' }))
    expect(Object.keys(fault.data).toSorted()).toEqual(['currency', 'name', 'redirectUrl'])
  })

  test('what is no object is refused', async () => {
    expect((await faultOf(register('a product'))).code).toBe('InvalidParameter')
  })
})

describe('a client token', () => {
  test('makes one product of many requests at once', async () => {
    const before = await countProducts()
    const all = await Promise.all(Array.from({ length: 6 }, () => register(sampleProduct(), 'one-and-the-same')))
    expect(new Set(all.map((one) => one.product.productCode)).size).toBe(1)
    expect(new Set(all.map((one) => one.productToken)).size).toBe(1)
    expect(await countProducts()).toBe((before ?? 0n) + 1n)
  })

  test('with other input is refused; another seller may use the same', async () => {
    await register(sampleProduct(), 'taken')
    expect((await faultOf(register(sampleProduct({ name: 'Another' }), 'taken'))).code).toBe('IdempotencyMismatch')
    const other = await newAccount(house.database)
    const { product } = await register(sampleProduct({ name: 'Another' }), 'taken', other)
    expect(product.sellerAccountId).toBe(other)
    expect((await faultOf(register(sampleProduct(), 'with space'))).code).toBe('InvalidParameter')
  })
})

test('codes that are taken are not given again', async () => {
  const { product: first } = await register(sampleProduct())
  const codes = [first.productCode, 'ABCDEF01', 'ABCDEF02']
  const offerings = [newOfferingCode(), first.offeringCode, newOfferingCode()]
  let drawn = 0
  const { product } = await house.database.transaction((tx) =>
    registerProduct(
      tx,
      { accountId: seller, input: sampleProduct() },
      {
        productCode: () => codes[drawn] ?? '',
        offeringCode: () => offerings[drawn++] ?? '',
      },
    ),
  )
  expect(product.productCode).toBe('ABCDEF02')
  expect(drawn).toBe(3)
})

describe('states', () => {
  const act = <T>(verb: (tx: Parameters<Parameters<typeof house.database.transaction>[0]>[0]) => Promise<T>) =>
    house.database.transaction(verb)

  test('a draft is submitted, approved and withdrawn, and each step only once', async () => {
    const { product } = await register(sampleProduct({ draft: true }))
    const { productCode } = product
    expect(product.state).toBe('draft')
    expect((await faultOf(act((tx) => approveProduct(tx, { productCode, actor: operator })))).code).toBe(
      'IncorrectState',
    )
    expect((await act((tx) => submitProduct(tx, { productCode, actor: seller }))).state).toBe('pending-approval')
    expect((await act((tx) => approveProduct(tx, { productCode, actor: operator }))).state).toBe('approved')
    expect((await act((tx) => approveProduct(tx, { productCode, actor: operator }))).state).toBe('approved')
    const rejecting = act((tx) => rejectProduct(tx, { productCode, actor: operator, reason: 'Late.' }))
    expect((await faultOf(rejecting)).code).toBe('IncorrectState')
    const withdrawn = await act((tx) => withdrawProduct(tx, { productCode, actor: seller, reason: 'Superseded.' }))
    expect(withdrawn).toMatchObject({ state: 'withdrawn', stateReason: 'Superseded.' })
    expect((await faultOf(act((tx) => approveProduct(tx, { productCode, actor: operator })))).code).toBe(
      'IncorrectState',
    )
    const mails = await act((tx) => listMails(tx, { limit: 100 }))
    expect(
      mails.filter((mail) => mail.subject === 'ABC AMI is approved' && mail.textBody.includes(productCode)),
    ).toHaveLength(1)
    const audit = await act((tx) => listAudit(tx, { accountId: seller }))
    expect(
      audit
        .filter((entry) => entry.subject === productCode)
        .map((entry) => entry.action)
        .toSorted(),
    ).toEqual(['product.approve', 'product.register', 'product.submit', 'product.withdraw'])
  })

  test('a rejected product says why, to its seller by mail too', async () => {
    const { product } = await register(sampleProduct({ name: 'Shady AMI' }))
    const { productCode } = product
    const empty = act((tx) => rejectProduct(tx, { productCode, actor: operator, reason: ' ' }))
    expect((await faultOf(empty)).code).toBe('InvalidParameter')
    const rejected = await act((tx) => rejectProduct(tx, { productCode, actor: operator, reason: 'No terms.' }))
    expect(rejected).toMatchObject({ state: 'rejected', stateReason: 'No terms.' })
    const mails = await act((tx) => listMails(tx, { limit: 100 }))
    const mail = mails.find((one) => one.subject === 'Shady AMI is not approved')
    expect(mail?.recipient).toBe('owner@abc.example.com')
    expect(mail?.textBody).toContain('No terms.')
  })

  test('of an approval and a rejection at once exactly one happens', async () => {
    const { product } = await register(sampleProduct())
    const { productCode } = product
    const outcomes = await Promise.allSettled([
      act((tx) => approveProduct(tx, { productCode, actor: operator })),
      act((tx) => rejectProduct(tx, { productCode, actor: operator, reason: 'No.' })),
    ])
    expect(outcomes.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('only the operator approves, only its seller submits or withdraws', async () => {
    const stranger = await newAccount(house.database)
    const { product } = await register(sampleProduct({ draft: true }))
    const { productCode } = product
    expect((await faultOf(act((tx) => submitProduct(tx, { productCode, actor: stranger })))).code).toBe('Forbidden')
    await act((tx) => submitProduct(tx, { productCode, actor: seller }))
    expect((await faultOf(act((tx) => approveProduct(tx, { productCode, actor: seller })))).code).toBe('Forbidden')
    const none = act((tx) => approveProduct(tx, { productCode: '00000000', actor: operator }))
    expect((await faultOf(none)).code).toBe('ProductNotFound')
  })
})

describe('configuration', () => {
  test('covers the product of its lists and nothing else', async () => {
    const { product } = await register(
      sampleProduct({
        configuration: { regions: ['us-east-1', 'eu-west-1'], environments: ['linux'], instanceTypes: ['m1.small'] },
        price: { oneTime: '5' },
      }),
    )
    await house.database.read(async (tx) => {
      const allows = (region: string, environment: string, instanceType: string) =>
        configurationAllows(tx, product.productCode, { region, environment, instanceType })
      expect(await allows('us-east-1', 'linux', 'm1.small')).toBe(true)
      expect(await allows('eu-west-1', 'linux', 'm1.small')).toBe(true)
      expect(await allows('us-east-1', 'windows', 'm1.small')).toBe(false)
      expect(await allows('us-east-1', 'linux', 'm1.large')).toBe(false)
    })
  })
})

test('pages of products tile the list', async () => {
  const { sellerAccountId } = await newProduct(house.database)
  for (let made = 0; made < 4; made += 1) await register(sampleProduct(), undefined, sellerAccountId)
  await house.database.read(async (tx) => {
    const all = await listProducts(tx, { sellerAccountId })
    expect(all).toHaveLength(5)
    const paged = []
    for (;;) {
      const page = await listProducts(tx, { sellerAccountId, after: paged.at(-1)?.productCode, limit: 2 })
      if (page.length === 0) break
      paged.push(...page)
    }
    expect(paged).toEqual(all)
    expect(await listProducts(tx, { sellerAccountId, state: 'approved' })).toHaveLength(1)
  })
})

test('a deployment that approves by itself approves at registration and at submission', async () => {
  const own = await testDatabase({ config: { approval: 'automatic' } })
  try {
    await own.database.transaction((tx) => loadRateCard(tx, sampleRateCard))
    const accountId = await newAccount(own.database)
    await own.database.transaction(async (tx) => {
      expect((await registerProduct(tx, { accountId, input: sampleProduct() })).product.state).toBe('approved')
      const { product } = await registerProduct(tx, { accountId, input: sampleProduct({ draft: true }) })
      expect(product.state).toBe('draft')
      const submitted = await submitProduct(tx, { productCode: product.productCode, actor: accountId })
      expect(submitted.state).toBe('approved')
    })
  } finally {
    await own.close()
  }
})
