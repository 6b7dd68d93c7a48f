/**
 * Months of buyers with good and declining cards, a processor that loses answers, decides late and forgets keys, events in
 * any order, card changes, payments by hand and cancellations, all drawn from a seed. Whatever happened, the money at the
 * processor is the money in the books.
 */
import { afterAll, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import type { Mishap } from '../../test/faulty-processor.ts'
import { decliningCard, enterCard, goodCard, newBuyer, order } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import { addMs, dayMs } from '../base/time.ts'
import { cancelSubscription } from '../orders/cancel-subscription.ts'
import type { Product } from '../products/products.ts'
import { listSubscriptions } from '../subscriptions/find-subscription.ts'
import { payNow } from './pay-now.ts'

const buyersMax = 5
const steps = 70
const start = new Date('2026-06-01T09:00:00Z')
/** Three month ends and the last retries of the third bill. */
const end = new Date('2026-09-24T00:00:00Z')

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class Simulation {
  readonly at: Collections
  readonly #random: () => number
  readonly #products: readonly Product[]
  readonly #buyers: string[] = []
  #now = start
  /** What was done, for whoever looks at a seed that fails. */
  readonly story: string[] = []

  constructor(at: Collections, products: readonly Product[], random: () => number) {
    this.at = at
    this.#products = products
    this.#random = random
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#below(from.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }

  #card(): string {
    return this.#random() < 0.6 ? goodCard : decliningCard
  }

  /** One thing that a buyer, the processor or time does. A refusal is one of the things that may come of it. */
  async step(): Promise<void> {
    const chance = this.#random()
    try {
      if (this.#buyers.length < buyersMax && chance < 0.25) await this.#arrive()
      else if (chance < 0.4) await this.#order()
      else if (chance < 0.5) await this.#changeCard()
      else if (chance < 0.62) await this.#pay()
      else if (chance < 0.67) await this.#cancel()
      else if (chance < 0.77) await this.#deliver()
      else await this.#wait()
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.story.push(`  ${error.code}`)
    }
    if (this.#random() < 0.3) this.#mishap()
    if (this.#random() < 0.2) this.at.processor.decide()
    if (this.#random() < 0.1) await this.at.forgetKeys()
    if (this.#random() < 0.5) await this.at.retry()
  }

  /** Nothing goes wrong any more, and everything that was begun comes to its end. */
  async finish(): Promise<void> {
    this.at.processor.mishaps.length = 0
    this.at.processor.decide()
    await this.at.retry()
    await this.at.advance(end)
    for (const event of await this.at.events()) await this.at.deliver(event)
    const waiting = await this.at.retry()
    if (waiting > 0) throw new Error(`${waiting} tasks cannot be done`)
  }

  async #arrive(): Promise<void> {
    this.story.push('a buyer arrives')
    this.#buyers.push(await newBuyer(this.at.database, this.at.processor, this.#card()))
  }

  async #order(): Promise<void> {
    this.story.push('an order')
    if (this.#buyers.length > 0) await order(this.at.database, this.#pick(this.#buyers), this.#pick(this.#products))
  }

  async #changeCard(): Promise<void> {
    if (this.#buyers.length === 0) return
    const [buyer, card] = [this.#pick(this.#buyers), this.#card()]
    this.story.push(`${buyer} enters ${card}`)
    await enterCard(this.at.database, this.at.processor, buyer, card)
  }

  /** By hand, in one to three tabs, while tasks run. */
  async #pay(): Promise<void> {
    if (this.#buyers.length === 0) return
    const bills = await this.at.bills(this.#pick(this.#buyers))
    if (bills.length === 0) return
    const bill = this.#pick(bills)
    const tabs = 1 + this.#below(3)
    this.story.push(`${bill.accountId} pays ${bill.invoiceId} in ${tabs} tabs`)
    const paying = Array.from({ length: tabs }, () => payNow(this.at.database, this.at.processor, bill))
    for (const paid of await Promise.allSettled([...paying, this.at.drain()])) {
      if (paid.status === 'rejected' && !(paid.reason instanceof Fault)) throw paid.reason
    }
  }

  async #cancel(): Promise<void> {
    if (this.#buyers.length === 0) return
    const accountId = this.#pick(this.#buyers)
    const subscriptions = await this.at.database.read((tx) => listSubscriptions(tx, { accountId }))
    if (subscriptions.length === 0) return
    const { subscriptionId } = this.#pick(subscriptions)
    this.story.push(`${accountId} cancels ${subscriptionId}`)
    await this.at.database.transaction((tx) => cancelSubscription(tx, { accountId, subscriptionId, actor: accountId }))
  }

  /** Some of the processor's events so far, early, late or again. */
  async #deliver(): Promise<void> {
    const events = await this.at.events()
    this.story.push('events')
    for (let count = this.#below(6); count > 0 && events.length > 0; count -= 1) {
      await this.at.deliver(this.#pick(events))
    }
  }

  async #wait(): Promise<void> {
    const ms = Math.floor(this.#random() * 9 * dayMs)
    this.#now = addMs(this.#now, ms)
    if (this.#now > end) this.#now = end
    this.story.push(`until ${this.#now.toISOString()}`)
    await this.at.advance(this.#now)
  }

  #mishap(): void {
    const mishaps: Mishap[] = ['lost before', 'lost after', 'undecided']
    const mishap = this.#pick(mishaps)
    this.story.push(`  ${mishap}`)
    this.at.processor.mishaps.push(mishap)
  }
}

async function sumOf(at: Collections, query: string): Promise<bigint> {
  const { rows } = await at.house.pool.query<{ sum: bigint }>(`select coalesce(sum(amount), 0)::bigint as sum ${query}`)
  return rows[0]?.sum ?? 0n
}

interface Money {
  readonly captured: bigint
  readonly refunded: bigint
}

async function atTheProcessor(at: Collections): Promise<Money & { billsCapturedTwice: number }> {
  const captures = await at.captures()
  const bills = captures.map(({ metadata }) => metadata['invoice_id'])
  const refunds = await at.stripe.refunds.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
  return {
    captured: BigInt(captures.reduce((sum, intent) => sum + intent.amount_received, 0)),
    refunded: BigInt(refunds.reduce((sum, refund) => sum + refund.amount, 0)),
    billsCapturedTwice: bills.length - new Set(bills).size,
  }
}

async function inTheBooks(at: Collections): Promise<Money> {
  return {
    captured: await sumOf(at, `from transfer where kind = 'paid'`),
    refunded: await sumOf(at, `from transfer where kind = 'refund-paid'`),
  }
}

/** Attempts, refunds and bills that should have come to an end and have not. */
async function unfinished(at: Collections): Promise<unknown[]> {
  const { rows } = await at.house.pool.query(
    `select account_id, 'attempt' as what from payment_attempt where state = 'started'
     union all select account_id, 'refund' from refund where state = 'started'
     union all select account_id, 'order' from subscription where state = 'pending'
     union all select account_id, 'bill' from invoice where state = 'open' and issued_at < $1`,
    [addMs(end, -22 * dayMs)],
  )
  return rows
}

const seeds = process.env['SIMULATION_SEED']?.split(',').map(Number) ?? [1, 2]
const opened: Collections[] = []
afterAll(async () => {
  for (const at of opened) await at.close()
})

test.each(seeds)(
  'seed %i: the money at the processor is the money in the books',
  { timeout: 300_000 },
  async (seed) => {
    const at = await openCollections(start.toISOString())
    opened.push(at)
    const prices = [
      { monthly: '20.00' },
      { oneTime: '9.00', monthly: '3.10' },
      { monthly: '0.40' },
      { oneTime: '0.30' },
    ]
    const products: Product[] = []
    for (const price of prices) products.push((await newProduct(at.database, { price })).product)
    const simulation = new Simulation(at, products, randomOf(seed))
    const told = (): string => `seed ${seed}\n${simulation.story.join('\n')}`
    try {
      for (let step = 0; step < steps; step += 1) await simulation.step()
      await simulation.finish()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${told()}`, { cause: error })
    }
    const processor = await atTheProcessor(at)
    const books = await inTheBooks(at)
    expect({ ...books, billsCapturedTwice: 0 }, told()).toEqual(processor)
    expect(processor.captured > 0n && processor.refunded <= processor.captured, told()).toBe(true)
    expect(await unfinished(at), told()).toEqual([])
    expect(await at.broken(), told()).toEqual([])
  },
)
