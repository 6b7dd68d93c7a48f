import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import { newBuyer } from '../../test/orders.ts'
import { newAccount } from '../../test/products.ts'
import { findCard } from './find-card.ts'
import type { Processor } from './processor.ts'
import { ensureCustomer, finishCard, startCard } from './save-card.ts'

let at: Collections
beforeAll(async () => {
  at = await openCollections('2026-06-01T00:00:00Z')
})
afterAll(() => at.close())

interface Entry {
  readonly accountId: string
  readonly sessionId: string
  /** Enters a card on the processor's page and does not come back. */
  enter(number?: string): Promise<void>
}

async function begin(accountId: string): Promise<Entry> {
  const { url } = await startCard(at.database, at.processor, {
    accountId,
    returnUrl: 'http://turnpike.example/back?session={CHECKOUT_SESSION_ID}',
    cancelUrl: 'http://turnpike.example/cancel',
  })
  return {
    accountId,
    sessionId: new URL(url).pathname.split('/').at(-1) ?? '',
    async enter(number = '4242424242424242') {
      const body = new URLSearchParams({ number, expires: '12 / 30', cvc: '123' })
      const answer = await fetch(url, { method: 'POST', body, redirect: 'manual' })
      if (answer.status !== 303) throw new Error(`the card page answered ${answer.status}`)
    },
  }
}

const finish = ({ accountId, sessionId }: Entry) => finishCard(at.database, at.processor, { accountId, sessionId })
const brandOf = async (accountId: string) => (await at.database.read((tx) => findCard(tx, accountId)))?.brand
const mastercard = '5555555555554444'

async function eventOf({ sessionId }: Entry) {
  const event = (await at.events()).find(
    ({ type, data }) => type === 'checkout.session.completed' && JSON.stringify(data).includes(sessionId),
  )
  if (event === undefined) throw new Error('there is no event of the card entry')
  return event
}

/** Events that were taken in and not done with. */
async function unhandled(): Promise<number> {
  const { rows } = await at.house.pool.query('select 1 from processor_event where handled_at is null')
  return rows.length
}

test('an account is one customer at the processor, however many ask for it at once', async () => {
  const accountId = await newAccount(at.database)
  const made = await Promise.all(Array.from({ length: 5 }, () => ensureCustomer(at.database, at.processor, accountId)))
  expect(new Set(made.map((one) => one.customerId)).size).toBe(1)
  const other: Processor = { ...at.processor, createCustomer: () => Promise.resolve({ customerId: 'cus_second' }) }
  expect(await ensureCustomer(at.database, other, accountId)).toEqual(made[0])
  await expect(ensureCustomer(at.database, at.processor, '999999999999')).rejects.toMatchObject({ code: 'NotFound' })
})

describe('a card entry', () => {
  test('is finished by the buyer who comes back, once', async () => {
    const accountId = await newAccount(at.database)
    const entry = await begin(accountId)
    await expect(finish(entry)).rejects.toMatchObject({ code: 'PaymentRefused' })
    await entry.enter()
    expect(await finish(entry)).toMatchObject({ brand: 'visa', last4: '4242', expMonth: 12, expYear: 2030 })
    const second = await begin(accountId)
    await second.enter(mastercard)
    await finish(second)
    expect(await brandOf(accountId)).toBe('mastercard')
    // The page of the first is reloaded.
    expect(await finish(entry)).toMatchObject({ brand: 'mastercard' })
    expect(await brandOf(accountId)).toBe('mastercard')
  })

  test('of another buyer, or of nobody, is refused', async () => {
    const [mine, theirs] = [await newBuyer(at.database, at.processor), await newAccount(at.database)]
    const entry = await begin(theirs)
    await entry.enter(mastercard)
    for (const sessionId of [entry.sessionId, 'cs_test_unknown', '']) {
      await expect(finish({ ...entry, accountId: mine, sessionId })).rejects.toMatchObject({ code: 'NotFound' })
    }
    expect(await brandOf(mine)).toBe('visa')
    expect(await brandOf(theirs)).toBeUndefined()
  })

  test('is finished by its event when the buyer does not come back; events come twice, late and in any order', async () => {
    const accountId = await newAccount(at.database)
    const [first, second] = [await begin(accountId), await begin(accountId)]
    await first.enter()
    await second.enter(mastercard)
    for (const entry of [second, first, second]) {
      await at.deliver(await eventOf(entry))
      expect(await at.drain()).toBe(0)
      expect(await brandOf(accountId)).toBe('mastercard')
    }
    expect(await unhandled()).toBe(0)
  })

  test('that was begun first and finished last counts when the buyer comes back with it', async () => {
    const accountId = await newAccount(at.database)
    const [first, second] = [await begin(accountId), await begin(accountId)]
    await second.enter(mastercard)
    await finish(second)
    await first.enter()
    await finish(first)
    expect(await brandOf(accountId)).toBe('visa')
    await at.deliver(await eventOf(second))
    await at.drain()
    expect(await brandOf(accountId)).toBe('visa')
  })

  test('finished many times at once is taken over once', async () => {
    const accountId = await newAccount(at.database)
    const entry = await begin(accountId)
    await entry.enter()
    await at.deliver(await eventOf(entry))
    await Promise.all([at.drain(), ...Array.from({ length: 5 }, () => finish(entry))])
    const { rows } = await at.house.pool.query(
      `select 1 from audit_entry where account_id = $1 and action = 'payment method changed'`,
      [accountId],
    )
    expect(rows).toHaveLength(1)
  })
})
