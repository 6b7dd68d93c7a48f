/** Subscriptions, bills and sellers' money over a real service, from a sign-up to a payout. The rules are tested where they live. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestHouse, type Answer, type Person, type SellableProduct, type TestHouse } from '../../../test/house.ts'
import { refusal } from '../../../test/refusal.ts'

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

const noSuchId = '00000000-0000-4000-8000-000000000000'

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
    expect(await ask(stranger, 'GET', `/subscriptions/${subscriptionId}`)).toMatchObject(refusal(404, 'NotFound'))
    expect(await asked(buyer, 'GET', '/subscriptions?limit=1')).toMatchObject({ next: subscriptionId })
    expect(await asked(buyer, 'GET', `/subscriptions?after=${subscriptionId}`)).toEqual({ subscriptions: [] })
  })

  test('activation keys are the subscriber’s alone', async () => {
    const path = `/subscriptions/${subscriptionId}/activation-keys`
    expect(await asked(buyer, 'POST', path)).toEqual({ activationKey: expect.stringMatching(/^A[A-Z2-7]{27}$/) })
    expect(await ask(stranger, 'POST', path)).toMatchObject(refusal(404, 'NotFound'))
    expect(await ask(buyer, 'POST', `/subscriptions/${noSuchId}/activation-keys`)).toMatchObject(
      refusal(404, 'NotFound'),
    )
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
    expect(await ask(stranger, 'GET', `/invoices/${id}`)).toMatchObject(refusal(404, 'NotFound'))
    expect(await ask(stranger, 'POST', `/invoices/${id}/pay`)).toMatchObject(refusal(404, 'NotFound'))
    expect(await ask(buyer, 'GET', `/invoices/${noSuchId}`)).toMatchObject(refusal(404, 'NotFound'))
    expect(await asked(buyer, 'GET', '/invoices?limit=1')).toMatchObject({ next: id })
    expect(await asked(buyer, 'GET', `/invoices?before=${id}`)).toEqual({ invoices: [] })
    expect(await ask(buyer, 'GET', `/invoices?before=${noSuchId}`)).toMatchObject(refusal(404, 'NotFound'))
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
    expect(await ask(stranger, 'POST', path)).toMatchObject(refusal(404, 'NotFound'))
    const cancelled = await asked(leaver, 'POST', path)
    expect(cancelled).toMatchObject({
      cancelled: true,
      refund: { amount: '18.00', currency: 'USD' },
      subscription: { state: 'cancelled', endReason: 'cancelled-by-buyer', endedAt: '2026-06-03T09:00:00.000Z' },
    })
    const again = await asked(leaver, 'POST', path)
    expect(again).toEqual({ cancelled: false, subscription: cancelled['subscription'] })
    const keys = `/subscriptions/${subscriptions[0]?.subscriptionId}/activation-keys`
    expect(await ask(leaver, 'POST', keys)).toMatchObject(refusal(409, 'IncorrectState', undefined, 'has ended'))
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
    expect(await ask(stranger, method, path)).toMatchObject(refusal(403, 'Forbidden'))
  })

  test('accounts in pages', async () => {
    const { operator } = house.town
    const all = (await asked(operator, 'GET', '/accounts')) as { accounts: { accountId: string }[] }
    expect(all.accounts.map(({ accountId }) => accountId)).toContain(buyer.accountId)
    const page = (await asked(operator, 'GET', '/accounts?limit=2')) as { accounts: unknown[]; next: string }
    expect(page.accounts).toEqual(all.accounts.slice(0, 2))
    const rest = (await asked(operator, 'GET', `/accounts?after=${page.next}`)) as { accounts: unknown[] }
    expect(rest.accounts).toEqual(all.accounts.slice(2))
    expect(await ask(operator, 'GET', '/accounts?after=1')).toMatchObject(
      refusal(400, 'InvalidParameter', 'after', 'twelve digits'),
    )
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
    expect(await ask(operator, 'GET', '/mails?recipient=%00')).toMatchObject(
      refusal(400, 'InvalidParameter', 'recipient'),
    )
    expect(await ask(operator, 'GET', '/mails?before=x')).toMatchObject(refusal(400, 'InvalidParameter', 'before'))
  })

  test('a seller’s bank account is verified; someone who sells nothing is no seller', async () => {
    const { operator } = house.town
    const path = `/sellers/${seller.accountId}/verify-bank-account`
    const verified = { sellerAccountId: seller.accountId, companyName: 'ABC Software', bankAccountVerified: true }
    expect(await asked(operator, 'POST', path)).toEqual(verified)
    expect(await asked(operator, 'POST', path)).toEqual(verified)
    const none = `/sellers/${stranger.accountId}/verify-bank-account`
    expect(await ask(operator, 'POST', none)).toMatchObject(refusal(404, 'NotFound', undefined, 'is no seller'))
  })

  test('the clock moves forward only, and what falls due on the way happens', async () => {
    const { operator } = house.town
    const now = '2026-06-03T09:00:00.000Z'
    expect(await asked(stranger, 'GET', '/clock')).toEqual({ kind: 'manual', now })
    expect(await ask(stranger, 'POST', '/clock/advance', { to: now })).toMatchObject(refusal(403, 'Forbidden'))
    expect(await ask(operator, 'POST', '/clock/advance', { to: 'soon' })).toMatchObject(
      refusal(400, 'InvalidParameter', 'to', 'an instant such'),
    )
    expect(await ask(operator, 'POST', '/clock/advance', { to: '2026-06-01' })).toMatchObject(
      refusal(400, 'InvalidParameter', undefined, 'forward'),
    )
    expect(await ask(operator, 'POST', '/months/2026-06/close')).toMatchObject(
      refusal(409, 'IncorrectState', undefined, 'has not ended'),
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
    expect(await ask(operator, 'POST', release)).toMatchObject(refusal(404, 'NotFound', undefined, 'is not parked'))
    const reason = 'The bill is unusually large.'
    await house.pool.query(
      `update month_close_claim set done = false, parked_reason = $1 where month = '2026-06' and account_id = $2`,
      [reason, buyer.accountId],
    )
    const parked = { parked: [{ accountId: buyer.accountId, month: '2026-06', reason }] }
    expect(await asked(operator, 'GET', '/months/2026-06/parked')).toEqual(parked)
    expect(await asked(operator, 'POST', release)).toEqual(closed)
    const proof = await asked(operator, 'GET', '/proof')
    expect(proof).toMatchObject({ ok: true })
    expect((proof['checks'] as unknown[]).length).toBeGreaterThan(5)
    const { payouts } = (await asked(seller, 'GET', '/seller/payouts')) as { payouts: { payoutNumber: number }[] }
    expect(payouts.at(-1)).toMatchObject({ payoutNumber: 1, state: 'paid', currency: 'USD', amount: '18.16' })
    const page = await asked(seller, 'GET', '/seller/payouts?limit=1')
    expect(page['next']).toBe(String(payouts[0]?.payoutNumber))
  })
})
