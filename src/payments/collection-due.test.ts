import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import { buy, decliningCard, enterCard, goodCard, newBuyer, order } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import type { Invoice } from '../invoices/invoices.ts'
import type { Product } from '../products/products.ts'
import { listSubscriptions } from '../subscriptions/find-subscription.ts'
import { openDebt } from './open-debt.ts'
import { payNow } from './pay-now.ts'
import { nextAttemptAt } from './payments.ts'

let at: Collections
let product: Product
/** $0.40 a month: its first bill, of $0.20, is carried into the bill of the 1st. */
let cheap: Product
beforeEach(async () => {
  at = await openCollections('2026-06-16T00:00:00Z')
  product = (await newProduct(at.database)).product
  cheap = (await newProduct(at.database, { name: 'Cheap AMI', price: { monthly: '0.40' } })).product
})
afterEach(async () => {
  expect(at.processor.mishaps).toEqual([])
  expect(await at.broken()).toEqual([])
  await at.close()
})

/** A buyer of both products whose card declines from now on; on 1 July the bill fails. */
async function failingBuyer(): Promise<string> {
  const accountId = await newBuyer(at.database, at.processor)
  await buy(at.database, at.processor, accountId, product)
  await buy(at.database, at.processor, accountId, cheap)
  await enterCard(at.database, at.processor, accountId, decliningCard)
  await at.drain()
  return accountId
}

async function billOf(accountId: string, month = '2026-06'): Promise<Invoice> {
  const bill = (await at.bills(accountId)).find((one) => one.kind === 'monthly' && one.month === month)
  if (bill === undefined) throw new Error('there is no bill')
  return bill
}

/** When each attempt on the bill of June was started, as days after its issue, and what came of it. */
async function attempts(accountId: string): Promise<string[]> {
  const { rows } = await at.house.pool.query<{ text: string }>(
    `select round(extract(epoch from a.started_at - i.issued_at) / 86400, 2)::float || ' ' || a.state as text
       from payment_attempt a join invoice i using (account_id, invoice_id)
      where account_id = $1 and i.kind = 'monthly' and i.month = '2026-06' order by attempt_number`,
    [accountId],
  )
  return rows.map((row) => row.text)
}

async function mailKinds(accountId: string): Promise<string[]> {
  const mails = await at.mails(`/${accountId}/`)
  return mails.map((mail) => mail.kind).reverse()
}

async function subscriptionStates(accountId: string): Promise<string[]> {
  const subscriptions = await at.database.read((tx) => listSubscriptions(tx, { accountId }))
  return subscriptions.map(({ state, endReason }) => `${state} ${endReason ?? ''}`.trim())
}

const debt = (accountId: string) => at.database.read((tx) => openDebt(tx, accountId))

describe('a bill that fails', () => {
  test('is tried on the days 0, 7, 14 and 21; then it is a debt and every subscription on it ends', async () => {
    const accountId = await failingBuyer()
    await at.advance('2026-07-01T00:00:00Z')
    expect(await billOf(accountId)).toMatchObject({ state: 'open', amountDue: 2060n })
    expect((await billOf(accountId)).attemptDueAt).toEqual(new Date('2026-07-08T00:00:00Z'))
    await at.advance('2026-07-21T23:59:59Z')
    expect(await attempts(accountId)).toEqual(['0 failed', '7 failed', '14 failed'])
    expect(await subscriptionStates(accountId)).toEqual(['active', 'active'])
    expect(await debt(accountId)).toEqual([])
    await at.advance('2026-07-22T00:00:00Z')
    expect(await attempts(accountId)).toEqual(['0 failed', '7 failed', '14 failed', '21 failed'])
    expect(await subscriptionStates(accountId)).toEqual(['cancelled non-payment', 'cancelled non-payment'])
    expect(await billOf(accountId)).toMatchObject({ state: 'unpaid', attemptDueAt: null })
    expect(await debt(accountId)).toEqual([{ minor: 2060n, currency: 'USD' }])
    const ended = ['payment-failed', 'payment-failed', 'payment-failed', 'subscriptions-ended']
    expect(await mailKinds(accountId)).toEqual(ended)
    const toSeller = await at.mails('owner@abc.example.com')
    expect(toSeller.filter((mail) => mail.kind === 'subscriber-ended')).toHaveLength(2)
    const [, , , first] = await at.mails(`payment-failed/${accountId}/`)
    expect(first?.textBody).toContain('$20.60')
    expect(first?.textBody).toContain('2026-07-08')

    // The debt stays as it is; nothing is tried by itself any more.
    await at.advance('2026-09-15T00:00:00Z')
    expect(await attempts(accountId)).toHaveLength(4)
    expect(await mailKinds(accountId)).toEqual(ended)
    expect(await at.captures(accountId)).toHaveLength(1)
  })

  test('ends the subscriptions of bills that were carried into it, too', async () => {
    const accountId = await newBuyer(at.database, at.processor)
    const once = (await newProduct(at.database, { name: 'Once', price: { oneTime: '0.30' } })).product
    await buy(at.database, at.processor, accountId, once)
    await buy(at.database, at.processor, accountId, product)
    await enterCard(at.database, at.processor, accountId, decliningCard)
    await at.advance('2026-07-22T00:00:00Z')
    expect(await billOf(accountId)).toMatchObject({ state: 'unpaid', total: 2000n, amountDue: 2030n })
    expect(await subscriptionStates(accountId)).toEqual(['cancelled non-payment', 'cancelled non-payment'])
  })

  test('loses none of its days to attempts in between', async () => {
    const accountId = await failingBuyer()
    await at.advance('2026-07-04T00:00:00Z')
    const bill = await billOf(accountId)
    expect((await payNow(at.database, at.processor, bill)).state).toBe('failed')
    expect((await payNow(at.database, at.processor, bill)).state).toBe('failed')
    await enterCard(at.database, at.processor, accountId, decliningCard)
    await at.drain()
    expect(await attempts(accountId)).toEqual(['0 failed', '3 failed', '3 failed', '3 failed'])
    await at.advance('2026-07-21T12:00:00Z')
    // Asked for before the last day, answered after it: the last day is still to come.
    at.processor.mishaps.push('lost before')
    await expect(payNow(at.database, at.processor, bill)).rejects.toMatchObject({ code: 'ProcessorUnavailable' })
    await at.house.setClock(new Date('2026-07-22T12:00:00Z'))
    await at.retry()
    expect(await subscriptionStates(accountId)).toEqual(['active', 'active'])
    await at.advance('2026-07-22T12:00:00Z')
    const spread = ['7 failed', '14 failed', '20.5 failed', '21.5 failed']
    expect((await attempts(accountId)).slice(4)).toEqual(spread)
    expect((await billOf(accountId)).state).toBe('unpaid')
  })

  test('while the service stood still is tried once for the days that passed, then goes on as planned', async () => {
    const accountId = await failingBuyer()
    await at.advance('2026-07-01T00:00:00Z')
    await at.house.setClock(new Date('2026-07-17T00:00:00Z'))
    await at.advance('2026-07-17T00:00:00Z')
    expect(await attempts(accountId)).toEqual(['0 failed', '16 failed'])
    await at.advance('2026-07-22T00:00:00Z')
    expect(await attempts(accountId)).toEqual(['0 failed', '16 failed', '21 failed'])
    expect((await billOf(accountId)).state).toBe('unpaid')
  })

  test('is asked about each day until its end is known, though its task has given up', async () => {
    const accountId = await newBuyer(at.database, at.processor)
    await buy(at.database, at.processor, accountId, product)
    at.processor.mishaps.push('lost after')
    await at.advance('2026-07-01T00:00:00Z')
    expect(await attempts(accountId)).toEqual(['0 started'])
    await at.house.pool.query('update graphile_worker._private_jobs set attempts = max_attempts')
    await at.advance('2026-07-01T23:00:00Z')
    expect(await attempts(accountId)).toEqual(['0 started'])
    await at.advance('2026-07-02T00:00:00Z')
    expect(await attempts(accountId)).toEqual(['0 succeeded'])
    expect(await at.captures(accountId)).toHaveLength(2)
  })
})

describe('a new card', () => {
  test('heals a failed bill at once', async () => {
    const accountId = await failingBuyer()
    await at.advance('2026-07-05T00:00:00Z')
    await enterCard(at.database, at.processor, accountId, goodCard)
    await at.drain()
    expect(await billOf(accountId)).toMatchObject({ state: 'paid', attemptDueAt: null })
    expect(await attempts(accountId)).toEqual(['0 failed', '4 succeeded'])
    expect(await subscriptionStates(accountId)).toEqual(['active', 'active'])
    await at.advance('2026-07-30T00:00:00Z')
    expect(await attempts(accountId)).toHaveLength(2)
  })

  test('entered while the last attempt is under way saves the subscriptions', async () => {
    const accountId = await failingBuyer()
    await at.advance('2026-07-21T00:00:00Z')
    at.processor.mishaps.push('undecided')
    await at.advance('2026-07-22T00:00:00Z')
    expect((await attempts(accountId)).at(-1)).toBe('21 started')
    await enterCard(at.database, at.processor, accountId, goodCard)
    expect((await attempts(accountId)).at(-1)).toBe('21 started')
    at.processor.decide()
    await at.retry()
    expect((await attempts(accountId)).slice(-2)).toEqual(['21 failed', '21 succeeded'])
    expect(await subscriptionStates(accountId)).toEqual(['active', 'active'])
    expect((await billOf(accountId)).state).toBe('paid')
  })

  test('raced with the failure of the old one is always tried', async () => {
    for (let round = 0; round < 6; round += 1) {
      const accountId = await newBuyer(at.database, at.processor)
      await buy(at.database, at.processor, accountId, product)
      await enterCard(at.database, at.processor, accountId, decliningCard)
    }
    const { rows } = await at.house.pool.query<{ id: string }>('select account_id as id from customer')
    at.processor.mishaps.push(...rows.map(() => 'undecided' as const))
    await at.advance('2026-07-01T00:00:00Z')
    at.processor.decide()
    await Promise.all([at.retry(), ...rows.map(({ id }) => enterCard(at.database, at.processor, id, goodCard))])
    await at.retry()
    for (const { id } of rows) {
      expect(await attempts(id)).toEqual(['0 failed', '0 succeeded'])
      expect(await at.captures(id)).toHaveLength(2)
    }
  })

  test('or paying by hand settles a debt, and ordering is allowed again', async () => {
    const [healed, paid] = [await failingBuyer(), await failingBuyer()]
    await at.advance('2026-07-25T00:00:00Z')
    for (const accountId of [healed, paid]) {
      expect(await debt(accountId)).toHaveLength(1)
      await expect(order(at.database, accountId, product)).rejects.toMatchObject({ code: 'DebtOutstanding' })
    }
    const failed = await payNow(at.database, at.processor, await billOf(paid))
    expect(failed).toMatchObject({ state: 'failed' })
    expect((await mailKinds(paid)).at(-1)).toBe('payment-failed')
    for (const accountId of [healed, paid]) await enterCard(at.database, at.processor, accountId, goodCard)
    const races = [payNow(at.database, at.processor, await billOf(paid)), at.drain()]
    await Promise.allSettled(races)
    await at.retry()
    for (const accountId of [healed, paid]) {
      expect(await debt(accountId)).toEqual([])
      expect(await billOf(accountId)).toMatchObject({ state: 'paid' })
      expect(await at.captures(accountId)).toHaveLength(2)
      expect(await subscriptionStates(accountId)).toEqual(['cancelled non-payment', 'cancelled non-payment'])
      await buy(at.database, at.processor, accountId, product)
    }
  })
})

test('a sign-up below the smallest charge is accepted, rides on the first monthly bill, and is deposited with it', async () => {
  const accountId = await newBuyer(at.database, at.processor)
  const { subscriptionId } = await buy(at.database, at.processor, accountId, cheap)
  expect((await at.bills(accountId)).map(({ state, total }) => ({ state, total }))).toEqual([
    { state: 'carried', total: 20n },
  ])
  expect(await at.captures(accountId)).toEqual([])
  await at.advance('2026-07-02T00:00:00Z')
  const [monthly, signUp] = await at.bills(accountId)
  expect(monthly).toMatchObject({ state: 'paid', total: 40n, amountDue: 60n })
  expect(signUp).toMatchObject({ state: 'paid', subscriptionId, carriedInto: monthly?.invoiceId })
  expect((await at.captures(accountId)).map((intent) => intent.amount)).toEqual([60])
})

test('the next attempt is the first planned day that had not come when the failed one began', () => {
  const issued = new Date('2026-07-01T00:00:00Z')
  const after = (began: string, days: number[] = [21, 7, 14]) =>
    nextAttemptAt(issued, new Date(began), days)?.toISOString().slice(0, 10)
  expect(after('2026-07-01T00:00:00Z')).toBe('2026-07-08')
  expect(after('2026-07-07T23:59:59.999Z')).toBe('2026-07-08')
  expect(after('2026-07-08T00:00:00Z')).toBe('2026-07-15')
  expect(after('2026-07-21T23:00:00Z')).toBe('2026-07-22')
  expect(after('2026-07-22T00:00:00Z')).toBeUndefined()
  expect(after('2026-07-01T00:00:00Z', [])).toBeUndefined()
})
