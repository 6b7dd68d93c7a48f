import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { callerOf, newPaidImage } from '../../test/machines.ts'
import { buy, newBuyer, openTill, order, type Till } from '../../test/orders.ts'
import { newAccount, newProduct, sampleProduct } from '../../test/products.ts'
import { grantOperator } from '../accounts/grant-operator.ts'
import type { Fault } from '../base/fault.ts'
import { newUuid } from '../base/ids.ts'
import { sql } from '../database/database.ts'
import { runInstances } from '../instances/run-instances.ts'
import { sellerBalance } from '../ledger/sum-balance.ts'
import { listMails } from '../notices/read-mailbox.ts'
import { refundPayment } from '../payments/refund-payment.ts'
import type { Product } from '../products/products.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import { cancelSubscription } from './cancel-subscription.ts'

const signUp = new Date('2009-06-03T10:00:00Z')
let house: TestDatabase
let till: Till
beforeAll(async () => {
  house = await testDatabase({ clock: signUp })
  till = await openTill(house)
})
afterAll(async () => {
  await till.close()
  await house.close()
})

const cancel = (subscription: Subscription, actor = subscription.accountId) =>
  house.database.transaction((tx) => cancelSubscription(tx, { ...subscription, actor }))

async function bought(changes = {}): Promise<{ subscription: Subscription; product: Product }> {
  await house.setClock(signUp)
  const { product } = await newProduct(house.database, changes)
  const accountId = await newBuyer(house.database, till.processor)
  return { subscription: await buy(house.database, till.processor, accountId, product), product }
}

async function refundsOf({ accountId }: Subscription) {
  const { rows } = await house.pool.query<Record<string, unknown>>(
    'select refund_id, amount, state, month, reason from refund where account_id = $1',
    [accountId],
  )
  return rows
}

const balanceOf = ({ sellerAccountId }: Product) =>
  house.database.read((tx) => sellerBalance(tx, { sellerAccountId, currency: 'USD' }))

describe('cancelling', () => {
  test('ends at once, gives the unused days back, and plans the end of access', async () => {
    const { subscription, product } = await bought({ price: { oneTime: '50.00', monthly: '20.00' } })
    expect(await balanceOf(product)).toBe(6867n - 30n)
    const cancelledAt = new Date('2009-06-10T15:00:00Z')
    await house.setClock(cancelledAt)
    const cancellation = await cancel(subscription)
    expect(cancellation).toMatchObject({
      cancelled: true,
      refund: { minor: 1333n, currency: 'USD' },
      subscription: {
        state: 'cancelled',
        endReason: 'cancelled-by-buyer',
        endedAt: cancelledAt,
        endOfAccessDueAt: new Date('2009-06-10T16:00:00Z'),
      },
    })
    expect(await balanceOf(product)).toBe(6867n - 30n - 1333n)
    const [refund, ...others] = await refundsOf(subscription)
    expect(others).toEqual([])
    expect(refund).toMatchObject({ amount: 1333n, state: 'started', month: '2009-06', reason: 'cancellation' })
    const due = await house.pool.query<{ due_at: Date }>(
      'select due_at from settlement_due where account_id = $1 and product_code = $2 and month = $3',
      [subscription.accountId, product.productCode, '2009-06'],
    )
    expect(due.rows).toHaveLength(1)

    const { accountId } = subscription
    const refundId = String(refund?.['refund_id'])
    await refundPayment(house.database, till.processor, { accountId, refundId })
    expect(await refundsOf(subscription)).toMatchObject([{ state: 'succeeded' }])

    const mails = await house.database.read((tx) => listMails(tx, { limit: 500 }))
    const about = mails.filter((mail) => mail.reference.includes(subscription.subscriptionId))
    expect(about.find((mail) => mail.kind === 'subscription-cancelled')?.textBody).toContain('$13.33')
    expect(about.find((mail) => mail.kind === 'subscriber-ended')?.textBody).toContain('The subscriber cancelled.')
  })

  test('again, or many times at once, changes nothing more', async () => {
    const { subscription } = await bought()
    const all = await Promise.all(Array.from({ length: 6 }, () => cancel(subscription)))
    all.push(await cancel(subscription))
    expect(all.filter((one) => one.cancelled)).toHaveLength(1)
    expect(all.every((one) => one.subscription.state === 'cancelled')).toBe(true)
    expect(await refundsOf(subscription)).toMatchObject([{ amount: 1800n }])
  })

  test('on the last day, or of use alone, gives nothing back', async () => {
    const { subscription } = await bought()
    await house.setClock(new Date('2009-06-30T23:59:59Z'))
    expect((await cancel(subscription)).refund).toBeUndefined()
    const { rates } = sampleProduct().price
    const metered = await bought({ price: { rates } })
    expect((await cancel(metered.subscription)).refund).toBeUndefined()
    expect(await refundsOf(metered.subscription)).toEqual([])
  })

  test.each([
    ['open', undefined],
    ['unpaid', undefined],
    ['paid', 1000n],
  ])('refunds of a later month’s charge that is %s: %s', async (state, refund) => {
    const { subscription, product } = await bought()
    await house.setClock(new Date('2009-07-01T00:00:00Z'))
    await writeMonthlyBill(subscription, product, state)
    await house.setClock(new Date('2009-11-15T08:00:00Z'))
    expect((await cancel(subscription)).refund?.minor).toBe(refund)
  })

  test('leaves instances running where the product says so', async () => {
    const { subscription } = await bought({ endOfAccessPolicy: 'leave-running' })
    expect((await cancel(subscription)).subscription.endOfAccessDueAt).toBeUndefined()
  })

  test('is for the buyer and operators only, and not while the order is being vetted', async () => {
    const { subscription, product } = await bought()
    const stranger = await newAccount(house.database)
    await expect(cancel(subscription, stranger)).rejects.toMatchObject({ code: 'Forbidden' })
    const none = { ...subscription, subscriptionId: newUuid() }
    await expect(cancel(none)).rejects.toMatchObject({ code: 'NotFound' })
    await expect(cancel({ ...subscription, subscriptionId: 'x' })).rejects.toMatchObject({ code: 'NotFound' })
    await house.database.transaction((tx) => grantOperator(tx, { accountId: stranger, actor: 'system' }))
    expect((await cancel(subscription, stranger)).subscription.endReason).toBe('cancelled-by-operator')

    const pending = await order(house.database, await newBuyer(house.database, till.processor), product)
    await expect(cancel(pending.subscription)).rejects.toMatchObject({ code: 'IncorrectState' })
  })

  test('and subscribing again charges and bills anew', async () => {
    const { subscription, product } = await bought()
    await cancel(subscription)
    const again = await buy(house.database, till.processor, subscription.accountId, product)
    expect(again.subscriptionId).not.toBe(subscription.subscriptionId)
    const invoices = await house.pool.query('select 1 from invoice where account_id = $1', [subscription.accountId])
    expect(invoices.rowCount).toBe(2)
  })
})

test('a launch and a cancellation at once come in either order, never in between', async () => {
  const { product } = await bought()
  const image = await newPaidImage(house.database, product)
  for (let round = 0; round < 12; round += 1) {
    const accountId = await newBuyer(house.database, till.processor)
    const subscription = await buy(house.database, till.processor, accountId, product)
    const launch = () =>
      house.database.transaction((tx) =>
        runInstances(tx, {
          caller: callerOf(accountId),
          region: image.region,
          imageId: image.imageId,
          instanceType: 'm1.small',
          minCount: 1,
          maxCount: 1,
        }),
      )
    const attempts = [launch, () => cancel(subscription)]
    if (round % 2 === 1) attempts.reverse()
    const outcomes = await Promise.allSettled(attempts.map((attempt) => attempt()))
    const launched = outcomes[round % 2]
    const refusal = launched?.status === 'rejected' ? (launched.reason as Fault) : undefined
    expect(outcomes[1 - (round % 2)]?.status).toBe('fulfilled')
    expect([undefined, 'NotSubscribed']).toContain(refusal?.code)

    const { rows } = await house.pool.query<{ subscription_id: string }>(
      'select subscription_id from instance where account_id = $1',
      [accountId],
    )
    expect(rows.map((row) => row.subscription_id)).toEqual(refusal === undefined ? [subscription.subscriptionId] : [])
    // An instance that came first is met by the end-of-access policy.
    const ended = await house.database.read((tx) => findSubscription(tx, subscription))
    expect(ended).toMatchObject({ state: 'cancelled' })
    expect(ended?.endOfAccessDueAt).toBeInstanceOf(Date)
    await expect(launch()).rejects.toMatchObject({ code: 'NotSubscribed' })
  }
})

/** A bill of 1 November with November's charge, in some state of its collection. */
async function writeMonthlyBill(subscription: Subscription, product: Product, state: string): Promise<void> {
  const { accountId, subscriptionId, productCode, sellerAccountId } = subscription
  const invoiceId = newUuid()
  await house.database.transaction(async (tx) => {
    await tx.run(sql`
      insert into invoice (account_id, invoice_id, kind, month, currency, total, amount_due, state, issued_at, paid_at)
        values (${accountId}, ${invoiceId}, 'monthly', '2009-10', ${product.currency}, 2000, 2000, ${state}, ${tx.now},
          ${state === 'paid' ? tx.now : null})`)
    await tx.run(sql`
      insert into invoice_line (account_id, invoice_id, line_number, subscription_id, product_code, seller_account_id, kind,
          month, period_start, period_end, quantity, price_version, amount)
        values (${accountId}, ${invoiceId}, 1, ${subscriptionId}, ${productCode}, ${sellerAccountId}, 'monthly', '2009-11',
          '2009-11-01T00:00:00Z', '2009-12-01T00:00:00Z', 1, 1, 2000)`)
    if (state !== 'paid') return
    await tx.run(sql`
      insert into payment_attempt (account_id, invoice_id, attempt_number, state, amount, currency, payment_method_id,
          processor_payment_id, started_at, settled_at)
        values (${accountId}, ${invoiceId}, 1, 'succeeded', 2000, ${product.currency}, 'pm', 'pi', ${tx.now}, ${tx.now})`)
  })
}
