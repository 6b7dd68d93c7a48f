import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { buy, decliningCard, enterCard, newBuyer, openTill, order, type Till } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import { Database, type Transaction } from '../database/database.ts'
import { closeMonth } from '../invoices/close-month.ts'
import { findSignUpInvoice, listInvoices } from '../invoices/find-invoice.ts'
import { receivable } from '../ledger/sum-balance.ts'
import type { Mail } from '../notices/notices.ts'
import { listMails } from '../notices/read-mailbox.ts'
import type { Processor } from '../payments/processor.ts'
import type { Product } from '../products/products.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import { cancelSubscription } from './cancel-subscription.ts'
import { vetOrder } from './vet-order.ts'

const now = new Date('2009-06-03T10:00:00Z')
let house: TestDatabase
let till: Till
let product: Product
/** Charged by use alone: nothing is due at sign-up. */
let metered: Product
beforeAll(async () => {
  house = await testDatabase({ clock: now })
  till = await openTill(house)
  product = (await newProduct(house.database)).product
  const rates = [{ region: 'us-east-1', environment: 'linux', instanceType: 'm1.small', rate: '0.20' }]
  metered = (await newProduct(house.database, { name: 'Metered AMI', price: { rates } })).product
})
afterAll(async () => {
  await till.close()
  await house.close()
})

const vet = (subscription: Subscription, processor = till.processor) =>
  vetOrder(house.database, processor, subscription)
const stateOf = async (of: Subscription) => (await house.database.read((tx) => findSubscription(tx, of)))?.state
const invoiceOf = (of: Subscription) => house.database.read((tx) => findSignUpInvoice(tx, of))

async function mailsAbout(of: Subscription): Promise<Mail[]> {
  const mails = await house.database.read((tx) => listMails(tx, { limit: 500 }))
  return mails.filter((mail) => mail.reference.includes(of.subscriptionId))
}

/** Charges that took money, at the processor. */
async function captured(accountId: string): Promise<number> {
  const { rows } = await house.pool.query<{ count: bigint }>(
    `select count(*) from sandbox.object where kind = 'payment_intent' and data->>'status' = 'succeeded'
        and data->'metadata'->>'account_id' = $1`,
    [accountId],
  )
  return Number(rows[0]?.count)
}

describe('vetting', () => {
  test('charges the sign-up bill, activates, and tells buyer and seller', async () => {
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, product)
    expect(await vet(subscription)).toBe('active')
    expect(await stateOf(subscription)).toBe('active')
    expect(await invoiceOf(subscription)).toMatchObject({ state: 'paid', total: 1867n })
    expect(await house.database.read((tx) => receivable(tx, { accountId }))).toEqual([])
    const mails = await mailsAbout(subscription)
    const toBuyer = mails.find((mail) => mail.kind === 'order-completed')
    expect(toBuyer?.textBody).toContain('$18.67')
    expect(toBuyer?.textBody).toContain('/billing')
    expect(mails.find((mail) => mail.kind === 'subscriber-new')?.recipient).toBe('owner@abc.example.com')
    expect(await vet(subscription)).toBe('active')
    expect(await captured(accountId)).toBe(1)
    expect(await mailsAbout(subscription)).toHaveLength(2)
  })

  test('of a refused card fails the subscription, voids the bill, and tells the buyer alone', async () => {
    const accountId = await newBuyer(house.database, till.processor, decliningCard)
    const { subscription } = await order(house.database, accountId, product)
    expect(await vet(subscription)).toBe('failed')
    expect(await stateOf(subscription)).toBe('failed')
    expect(await invoiceOf(subscription)).toMatchObject({ state: 'void' })
    expect(await house.database.read((tx) => receivable(tx, { accountId }))).toEqual([])
    const mails = await mailsAbout(subscription)
    expect(mails.map((mail) => mail.kind)).toEqual(['order-failed'])
    expect(mails[0]?.textBody).toContain('declined')
    expect(mails[0]?.textBody).toContain(`/purchase/${product.offeringCode}`)
    expect(await vet(subscription)).toBe('failed')
    expect(await captured(accountId)).toBe(0)
  })

  test('with nothing due has the card validated, and its mail names no amount', async () => {
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, metered)
    let asked = 0
    const validateCard: Processor['validateCard'] = async (request) => {
      asked += 1
      return await till.processor.validateCard(request)
    }
    expect(await vet(subscription, { ...till.processor, validateCard })).toBe('active')
    expect(asked).toBe(1)
    expect(await captured(accountId)).toBe(0)
    const mail = (await mailsAbout(subscription)).find((one) => one.kind === 'order-completed')
    expect(mail?.textBody).not.toContain('$')
  })

  test('with nothing due fails on a card that is no longer good', async () => {
    const accountId = await newBuyer(house.database, till.processor)
    await house.setClock(new Date('2031-01-01T00:00:00Z'))
    const { subscription } = await order(house.database, accountId, metered)
    expect(await vet(subscription)).toBe('failed')
    await house.setClock(now)
    expect(await invoiceOf(subscription)).toBeUndefined()
    expect((await mailsAbout(subscription)).map((mail) => mail.kind)).toEqual(['order-failed'])
  })

  test('below the minimum bill collects nothing now: the charge rides on the first monthly bill', async () => {
    const cheap = (await newProduct(house.database, { name: 'Cheap AMI', price: { monthly: '0.40' } })).product
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, cheap)
    expect(await vet(subscription)).toBe('active')
    expect(await invoiceOf(subscription)).toMatchObject({ state: 'carried', total: 37n })
    expect(await captured(accountId)).toBe(0)
    const mail = (await mailsAbout(subscription)).find((one) => one.kind === 'order-completed')
    expect(mail?.textBody).not.toContain('$')
  })

  test('that fails after a month end takes back a bill below the minimum: no later bill carries it', async () => {
    const cheap = (await newProduct(house.database, { name: 'Cheap AMI', price: { monthly: '0.40' } })).product
    const accountId = await newBuyer(house.database, till.processor)
    const bought = await buy(house.database, till.processor, accountId, product)
    const { subscription } = await order(house.database, accountId, cheap)
    await house.setClock(new Date('2009-07-01T00:00:00Z'))
    await closeMonth(house.database, { month: '2009-06' })
    const invalid: Processor['validateCard'] = () =>
      Promise.resolve({ state: 'failed', code: 'card_declined', message: 'Your card was declined.' })
    expect(await vet(subscription, { ...till.processor, validateCard: invalid })).toBe('failed')
    expect(await invoiceOf(subscription)).toMatchObject({ state: 'void', carriedInto: null })
    const bills = await house.database.read((tx) => listInvoices(tx, { accountId }))
    const july = bills.find((bill) => bill.kind === 'monthly')
    expect(july).toMatchObject({ state: 'open', total: 2000n, amountDue: 2000n })
    expect(await stateOf(bought)).toBe('active')
    await house.setClock(now)
  })

  test('goes on when the processor’s decision comes later', async () => {
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, product)
    const processing: Processor = {
      ...till.processor,
      charge: () => Promise.resolve({ state: 'processing', paymentId: 'pi_later' }),
      findCharge: () => Promise.resolve({ state: 'processing', paymentId: 'pi_later' }),
    }
    expect(await vet(subscription, processing)).toBe('undecided')
    expect(await stateOf(subscription)).toBe('pending')
    const cancelling = house.database.transaction((tx) => cancelSubscription(tx, { ...subscription, actor: accountId }))
    await expect(cancelling).rejects.toMatchObject({ code: 'IncorrectState' })
    expect(await vet(subscription)).toBe('active')
    expect(await captured(accountId)).toBe(1)
  })
})

describe('whoever vets, however often, at once or dying,', () => {
  test('many workers at once charge once', async () => {
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, product)
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => vet(subscription)))
    expect(new Set(outcomes)).toEqual(new Set(['active']))
    expect(await captured(accountId)).toBe(1)
    expect(await mailsAbout(subscription)).toHaveLength(2)
  })

  /** A database and a processor that die at the n-th step: before it, or when it is done and its answer is on the way. */
  function dying(step: number): { database: Database; processor: Processor; passed(): boolean } {
    let left = step
    const at = (): void => {
      left -= 1
      if (left === 0) throw new Death()
    }
    const around = async <T>(work: () => Promise<T>): Promise<T> => {
      at()
      const result = await work()
      at()
      return result
    }
    class DyingDatabase extends Database {
      override async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
        return await around(() => super.transaction(work))
      }
      override async read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
        return await around(() => super.read(work))
      }
    }
    const { processor } = till
    return {
      database: new DyingDatabase(house.database),
      processor: {
        ...processor,
        charge: (request) => around(() => processor.charge(request)),
        findCharge: (request) => around(() => processor.findCharge(request)),
        validateCard: (request) => around(() => processor.validateCard(request)),
      },
      passed: () => left > 0,
    }
  }
  class Death extends Error {}

  test.each<[string, () => Product, string, string, number]>([
    ['a charge', () => product, '4242424242424242', 'active', 1],
    ['a refused charge', () => product, decliningCard, 'failed', 0],
    ['a validation', () => metered, '4242424242424242', 'active', 0],
  ])('%s survives a death at any step', async (_name, what, card, end, charges) => {
    let survived = false
    for (let step = 1; !survived; step += 1) {
      expect(step).toBeLessThan(50)
      const accountId = await newBuyer(house.database, till.processor, card)
      const { subscription } = await order(house.database, accountId, what())
      const doomed = dying(step)
      await vetOrder(doomed.database, doomed.processor, subscription).catch((error: unknown) => {
        if (!(error instanceof Death)) throw error
      })
      survived = doomed.passed()
      expect(await vet(subscription)).toBe(end)
      expect(await stateOf(subscription)).toBe(end)
      expect(await captured(accountId)).toBe(charges)
      expect(await mailsAbout(subscription)).toHaveLength(end === 'active' ? 2 : 1)
      expect(await house.database.read((tx) => receivable(tx, { accountId }))).toEqual([])
    }
  })

  test('a processor out of reach leaves the order pending, to be vetted again', async () => {
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, product)
    const away = () => Promise.reject(new Fault('ProcessorUnavailable', 'Nobody answers.'))
    const unreachable = { ...till.processor, charge: away, findCharge: away }
    await expect(vet(subscription, unreachable)).rejects.toMatchObject({ code: 'ProcessorUnavailable' })
    expect(await stateOf(subscription)).toBe('pending')
    expect(await vet(subscription)).toBe('active')
    expect(await captured(accountId)).toBe(1)
  })
})

test('activation and cancellation at once come to one of two ends', async () => {
  for (let round = 0; round < 8; round += 1) {
    const accountId = await newBuyer(house.database, till.processor)
    const { subscription } = await order(house.database, accountId, metered)
    const cancel = () =>
      house.database.transaction((tx) => cancelSubscription(tx, { ...subscription, actor: accountId }))
    const [vetted, cancelled] = await Promise.allSettled([
      vet(subscription),
      (async () => {
        for (let wait = 0; wait < round * 2; wait += 1) await stateOf(subscription)
        return await cancel()
      })(),
    ])
    expect(vetted.status).toBe('fulfilled')
    expect(await stateOf(subscription)).toBe(cancelled.status === 'fulfilled' ? 'cancelled' : 'active')
    const refusal = cancelled.status === 'rejected' ? (cancelled.reason as Fault).code : undefined
    expect([undefined, 'IncorrectState']).toContain(refusal)
  }
})

test('after a failure another card buys', async () => {
  const accountId = await newBuyer(house.database, till.processor, decliningCard)
  const { subscription } = await order(house.database, accountId, product)
  expect(await vet(subscription)).toBe('failed')
  await enterCard(house.database, till.processor, accountId)
  const bought = await buy(house.database, till.processor, accountId, product)
  expect(bought.subscriptionId).not.toBe(subscription.subscriptionId)
  expect(await stateOf(bought)).toBe('active')
  expect(await stateOf(subscription)).toBe('failed')
  expect(await captured(accountId)).toBe(1)
})
