import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { listAudit } from '../accounts/record-audit.ts'
import { newUuid } from '../base/ids.ts'
import { sha256Hex } from '../base/seal.ts'
import { sql, type Transaction } from '../database/database.ts'
import { listMails } from '../notices/read-mailbox.ts'
import type { Product } from '../products/products.ts'
import { activateSubscription } from './activate-subscription.ts'
import { endSubscription } from './end-subscription.ts'
import { failSubscription } from './fail-subscription.ts'
import { findSubscription, liveSubscription, listSubscriptions, subscribersOf } from './find-subscription.ts'
import { makeActivationKey } from './make-activation-key.ts'
import { openSubscription } from './open-subscription.ts'
import { requireActiveSubscription } from './require-subscription.ts'
import { subscriptionReport } from './subscription-report.ts'
import type { Subscription } from './subscriptions.ts'

let house: TestDatabase
let product: Product
beforeAll(async () => {
  house = await testDatabase({ clock: new Date('2026-06-10T00:00:00Z') })
  product = (await newProduct(house.database)).product
})
afterAll(() => house.close())

const within = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => house.database.transaction(work)
const opened = async (of = product): Promise<Subscription> => {
  const accountId = await newAccount(house.database)
  return (await within((tx) => openSubscription(tx, { accountId, product: of }))).subscription
}
const activated = async (of = product): Promise<Subscription> => {
  const subscription = await opened(of)
  await within((tx) => activateSubscription(tx, subscription))
  return subscription
}
const end = (subscription: Subscription, reason: 'cancelled-by-buyer' | 'non-payment' = 'cancelled-by-buyer') =>
  within((tx) => endSubscription(tx, { ...subscription, reason, actor: subscription.accountId }))
const found = (subscription: Subscription) => house.database.read((tx) => findSubscription(tx, subscription))

describe('opening', () => {
  test('many orders at once open one', async () => {
    const accountId = await newAccount(house.database)
    const all = await Promise.all(
      Array.from({ length: 8 }, () => within((tx) => openSubscription(tx, { accountId, product }))),
    )
    expect(all.filter((one) => one.opened)).toHaveLength(1)
    expect(new Set(all.map((one) => one.subscription.subscriptionId)).size).toBe(1)
    expect(all[0]?.subscription).toMatchObject({ state: 'pending', sellerAccountId: product.sellerAccountId })
    expect(await house.database.read((tx) => listSubscriptions(tx, { accountId }))).toHaveLength(1)
  })

  test('an order beside one that fails at the same time lands on it or opens another', async () => {
    for (let round = 0; round < 10; round += 1) {
      const first = await opened()
      const { accountId } = first
      const [, second] = await Promise.all([
        within((tx) => failSubscription(tx, first)),
        within((tx) => openSubscription(tx, { accountId, product })),
      ])
      const all = await house.database.read((tx) => listSubscriptions(tx, { accountId }))
      expect(second.opened).toBe(all.length === 2)
      expect(second.subscription.subscriptionId === first.subscriptionId).toBe(all.length === 1)
      expect(all.filter((one) => one.state === 'failed')).toHaveLength(1)
    }
  })

  test('the database itself refuses a second live one', async () => {
    const { accountId, productCode, sellerAccountId } = await activated()
    const inserting = within((tx) =>
      tx.run(sql`
        insert into subscription (account_id, subscription_id, product_code, seller_account_id, state, created_at)
          values (${accountId}, ${newUuid()}, ${productCode}, ${sellerAccountId}, 'pending', ${tx.now})`),
    )
    await expect(inserting).rejects.toMatchObject({ constraint: 'subscription_live' })
  })
})

describe('changes of state', () => {
  test('happen once, however many ask', async () => {
    const subscription = await opened()
    const activations = await Promise.all(
      Array.from({ length: 5 }, () => within((tx) => activateSubscription(tx, subscription))),
    )
    expect(activations.filter((one) => one !== undefined)).toHaveLength(1)
    expect(await within((tx) => failSubscription(tx, subscription))).toBeUndefined()
    const ends = await Promise.all(Array.from({ length: 5 }, () => end(subscription)))
    expect(ends.filter(Boolean)).toHaveLength(1)
    expect(await end(subscription, 'non-payment')).toBe(false)
    expect(await within((tx) => activateSubscription(tx, subscription))).toBeUndefined()
    expect(await found(subscription)).toMatchObject({ state: 'cancelled', endReason: 'cancelled-by-buyer' })
    const audit = await house.database.read((tx) => listAudit(tx, { accountId: subscription.accountId }))
    expect(audit.map((entry) => entry.action).toSorted()).toEqual(['subscription.activate', 'subscription.end'])
    const mails = await house.database.read((tx) => listMails(tx, { limit: 500 }))
    const about = mails.filter((mail) => mail.reference.includes(subscription.subscriptionId))
    expect(about.map((mail) => mail.kind).toSorted()).toEqual(['subscriber-ended', 'subscriber-new'])
  })

  test('of activation and failure at once exactly one happens', async () => {
    for (let round = 0; round < 10; round += 1) {
      const subscription = await opened()
      const [active, failed] = await Promise.all([
        within((tx) => activateSubscription(tx, subscription)),
        within((tx) => failSubscription(tx, subscription)),
      ])
      expect([active, failed].filter((one) => one !== undefined)).toHaveLength(1)
      expect((await found(subscription))?.state).toBe(active === undefined ? 'failed' : 'active')
    }
  })

  test('a pending one does not end, another account’s is not found', async () => {
    const subscription = await opened()
    expect(await end(subscription)).toBe(false)
    expect((await found(subscription))?.state).toBe('pending')
    const stranger = await newAccount(house.database)
    expect(await found({ ...subscription, accountId: stranger })).toBeUndefined()
    expect(await end({ ...subscription, accountId: stranger })).toBe(false)
  })

  test.each([
    ['stop', new Date('2026-06-10T01:00:00Z')],
    ['terminate', new Date('2026-06-10T01:00:00Z')],
    ['leave-running', undefined],
  ] as const)('the end of access with %s is due at %s', async (endOfAccessPolicy, dueAt) => {
    const subscription = await activated((await newProduct(house.database, { endOfAccessPolicy })).product)
    await end(subscription, 'non-payment')
    expect((await found(subscription))?.endOfAccessDueAt).toEqual(dueAt)
  })
})

describe('a launch', () => {
  const required = (accountId: string) =>
    within((tx) => requireActiveSubscription(tx, { accountId, product, lock: 'share' }))
  const purchasePage = () => `http://127.0.0.1:8080/purchase/${product.offeringCode}`

  test('passes with an active subscription, in one query', async () => {
    const subscription = await activated()
    const queries = await within(async (tx) => {
      const spy = vi.spyOn(tx.client, 'query')
      const passed = await requireActiveSubscription(tx, { accountId: subscription.accountId, product, lock: 'share' })
      expect(passed.subscriptionId).toBe(subscription.subscriptionId)
      const count = spy.mock.calls.length
      spy.mockRestore()
      return count
    })
    expect(queries).toBe(1)
  })

  test('is refused without one, with the way to get one', async () => {
    await expect(required(await newAccount(house.database))).rejects.toMatchObject({
      code: 'NotSubscribed',
      message: expect.stringContaining(purchasePage()) as string,
      data: { purchaseUrl: purchasePage() },
    })
  })

  test('is refused while the order is being vetted, after it failed, and once cancelled', async () => {
    const subscription = await opened()
    const { accountId } = subscription
    await expect(required(accountId)).rejects.toThrow('still being vetted')
    await within((tx) => failSubscription(tx, subscription))
    await expect(required(accountId)).rejects.toMatchObject({ code: 'NotSubscribed' })
    const other = await activated()
    await end(other)
    await expect(required(other.accountId)).rejects.toMatchObject({ code: 'NotSubscribed' })
  })

  test('is refused with the billing page while the debt that ended it stands', async () => {
    const subscription = await activated()
    const { accountId } = subscription
    const invoiceId = newUuid()
    await within((tx) =>
      tx.run(sql`
        insert into invoice (account_id, invoice_id, kind, month, currency, total, amount_due, state, issued_at)
          values (${accountId}, ${invoiceId}, 'monthly', '2026-05', 'USD', 500, 500, 'unpaid', ${tx.now})`),
    )
    await end(subscription, 'non-payment')
    await expect(required(accountId)).rejects.toMatchObject({
      code: 'SubscriptionSuspended',
      message: expect.stringContaining('http://127.0.0.1:8080/billing') as string,
    })
    await within((tx) =>
      tx.run(sql`update invoice set state = 'paid', paid_at = ${tx.now} where invoice_id = ${invoiceId}`),
    )
    await expect(required(accountId)).rejects.toMatchObject({ code: 'NotSubscribed' })
  })

  test('and a cancellation at once are in order: whoever waits sees what the other did', async () => {
    const subscription = await activated()
    const { accountId } = subscription
    const order: string[] = []
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let locked = (): void => undefined
    const launchHolds = new Promise<void>((resolve) => (locked = resolve))
    const launching = within(async (tx) => {
      await requireActiveSubscription(tx, { accountId, product, lock: 'share' })
      locked()
      await held
      order.push('launched')
    })
    await launchHolds
    const cancelling = end(subscription).then((ended) => order.push(`ended ${ended}`))
    // A second launch passes beside the first: they share the row.
    await waitUntil(async () => {
      const { rows } = await house.pool.query<{ count: bigint }>(
        `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rows[0]?.count === 1n
    })
    release()
    await Promise.all([launching, cancelling])
    expect(order).toEqual(['launched', 'ended true'])
    await expect(required(accountId)).rejects.toMatchObject({ code: 'NotSubscribed' })
  })
})

/** Polls for up to ten seconds. */
async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 10_000
  while (!(await holds())) if (Date.now() > until) throw new Error('waited ten seconds for nothing')
}

describe('activation keys', () => {
  test('are good for an hour, and only their digest is kept', async () => {
    const subscription = await opened()
    const keys = [
      await within((tx) => makeActivationKey(tx, subscription)),
      await within((tx) => makeActivationKey(tx, subscription)),
    ]
    expect(keys[0]).not.toBe(keys[1])
    const { rows } = await house.pool.query(
      'select activation_key_sha256, product_code, expires_at from activation_key where subscription_id = $1',
      [subscription.subscriptionId],
    )
    expect(rows).toHaveLength(2)
    for (const key of keys) {
      expect(key).toMatch(/^A[A-Z2-7]{27}$/)
      expect(rows).toContainEqual({
        activation_key_sha256: sha256Hex(key),
        product_code: product.productCode,
        expires_at: new Date('2026-06-10T01:00:00Z'),
      })
    }
  })

  test('are made for subscribers only', async () => {
    const subscription = await activated()
    const stranger = { ...subscription, accountId: await newAccount(house.database) }
    await expect(within((tx) => makeActivationKey(tx, stranger))).rejects.toMatchObject({ code: 'NotFound' })
    await end(subscription)
    await expect(within((tx) => makeActivationKey(tx, subscription))).rejects.toMatchObject({ code: 'IncorrectState' })
  })
})

test('a buyer’s live subscription and a product’s subscribers are found', async () => {
  const own = (await newProduct(house.database)).product
  const [one, two, three] = [await activated(own), await opened(own), await activated(own)]
  await end(three)
  await house.database.read(async (tx) => {
    const { productCode } = own
    expect(await liveSubscription(tx, { accountId: one.accountId, productCode })).toMatchObject({ state: 'active' })
    expect(await liveSubscription(tx, { accountId: three.accountId, productCode })).toBeUndefined()
    const all = await subscribersOf(tx, productCode)
    expect(all.map((subscription) => subscription.accountId).toSorted()).toEqual(
      [one, two, three].map((subscription) => subscription.accountId).toSorted(),
    )
    expect(await subscribersOf(tx, productCode, { states: ['active'] })).toHaveLength(1)
    expect(await subscribersOf(tx, productCode, { states: [] })).toEqual([])
    const first = await subscribersOf(tx, productCode, { limit: 2 })
    expect([...first, ...(await subscribersOf(tx, productCode, { after: first[1] }))]).toEqual(all)
  })
})

test('the subscription report counts by the month, each cancellation', async () => {
  const own = (await newProduct(house.database)).product
  const sellerAccountId = own.sellerAccountId
  await house.setClock(new Date('2026-05-20T00:00:00Z'))
  const [may, leavesInJune] = [await activated(own), await activated(own)]
  await house.setClock(new Date('2026-06-10T00:00:00Z'))
  await end(leavesInJune)
  await activated(own)
  const comesBack = await activated(own)
  await end(comesBack)
  const { accountId } = comesBack
  const again = (await within((tx) => openSubscription(tx, { accountId, product: own }))).subscription
  await within((tx) => activateSubscription(tx, again))
  await end(again)
  await opened(own)
  const refused = await opened(own)
  await within((tx) => failSubscription(tx, refused))
  await house.setClock(new Date('2026-07-01T00:00:00Z'))
  await end(may)
  const report = (month: `${number}-${number}`, productCode?: string) =>
    house.database.read((tx) => subscriptionReport(tx, { sellerAccountId, month, productCode }))
  expect(await report('2026-05')).toMatchObject({ subscribed: 2, subscribedNew: 2, cancelled: 0 })
  expect(await report('2026-06')).toEqual({
    month: '2026-06',
    subscribed: 2,
    subscribedNew: 1,
    cancelled: 3,
    products: [{ productCode: own.productCode, name: own.name, subscribed: 2, subscribedNew: 1, cancelled: 3 }],
  })
  expect(await report('2026-07')).toMatchObject({ subscribed: 1, subscribedNew: 0, cancelled: 1 })
  expect(await report('2026-06', product.productCode)).toMatchObject({ subscribed: 0, products: [] })
  await house.setClock(new Date('2026-06-10T00:00:00Z'))
})
