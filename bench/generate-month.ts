/**
 * A month to close, made up from a seed: buyers with subscriptions to products of several sellers, their sign-ups paid, and what
 * their machines ran. The same seed makes the same month. What it leaves in the tables is what the verbs would have left,
 * so that the books can be proven afterwards; only the speed is COPY's.
 */
import type { PoolClient } from 'pg'
import { monthPeriod, nextMonth, prorateFrom, type Month } from '../src/base/period.ts'
import { hourMs, startOfDay, startOfNextDay } from '../src/base/time.ts'
import type { Database } from '../src/database/database.ts'
import { newProduct } from '../test/products.ts'
import { copyRows, type Row } from './copy-rows.ts'
import { SeededRandom } from './seeded-random.ts'

export interface GeneratedMonth {
  readonly subscriptions: number
  readonly accounts: number
  readonly runs: number
}

interface MonthProduct {
  readonly productCode: string
  readonly sellerAccountId: string
  /** Minor units. */
  readonly monthly: bigint
}

const productsMax = 24
const instanceTypes = ['m1.small', 'm1.large', 'm1.xlarge', 'c1.medium', 't3.micro', 't3.small', 'm5.large']
const region = 'us-east-1'
const environment = 'linux'
/** Subscriptions whose rows are written together. */
const batchSize = 5000
const cancelledShare = 0.02
/** Runs that have not ended, of subscriptions that have not. */
const openShare = 0.25
/** Buyers with two products instead of one. */
const secondProductShare = 0.25

/**
 * @param month the billing clock stands at its beginning
 */
export async function generateMonth(
  database: Database,
  of: { month: Month; subscriptions: number; seed: number; report?: (done: number) => void },
): Promise<GeneratedMonth> {
  const random = new SeededRandom(of.seed)
  const catalog: MonthProduct[] = []
  for (let index = 0; index < productsOf(of.subscriptions); index += 1)
    catalog.push(await addProduct(database, random, index))
  const month = new MonthRows(of.month, catalog, random, database.config.transactionFee)
  const client = await database.pool.connect()
  try {
    while (month.subscriptions < of.subscriptions) {
      const upTo = Math.min(month.subscriptions + batchSize, of.subscriptions)
      while (month.subscriptions < upTo) month.addBuyer(upTo - month.subscriptions)
      await client.query('begin')
      await month.write(client)
      await client.query('commit')
      of.report?.(month.subscriptions)
    }
    // As autovacuum leaves the tables of a service that has run for a month.
    await client.query('vacuum analyze')
  } finally {
    client.release()
  }
  const { subscriptions, accounts, runs } = month
  return { subscriptions, accounts, runs }
}

function productsOf(subscriptions: number): number {
  return Math.min(Math.ceil(subscriptions / 20), productsMax)
}

/** Half of the products charge monthly; each has a rate for every type, so a buyer's use has several dimensions. */
async function addProduct(database: Database, random: SeededRandom, index: number): Promise<MonthProduct> {
  const monthly = index % 2 === 0 ? BigInt(random.between(5, 50)) * 100n : 0n
  const rates = instanceTypes.map((instanceType) => ({
    region,
    environment,
    instanceType,
    rate: `0.${String(random.between(12, 95)).padStart(2, '0')}`,
  }))
  const configuration = { regions: [region], environments: [environment], instanceTypes }
  const price = { monthly: `${monthly / 100n}.00`, rates }
  const { product, sellerAccountId } = await newProduct(database, { name: `Product ${index}`, configuration, price })
  return { productCode: product.productCode, sellerAccountId, monthly }
}

/** The tables a month is made of, in the order their keys need. */
const tables = [
  'account',
  'subscription',
  'invoice',
  'invoice_line',
  'payment_attempt',
  'transfer',
  'settlement_due',
  'reservation',
  'instance',
  'instance_run',
] as const

type Table = (typeof tables)[number]

interface NewSubscription {
  readonly accountId: string
  readonly subscriptionId: string
  readonly product: MonthProduct
  readonly createdAt: Date
}

class MonthRows {
  subscriptions = 0
  accounts = 0
  runs = 0
  readonly #month: Month
  readonly #products: readonly MonthProduct[]
  readonly #random: SeededRandom
  readonly #fee: bigint
  #rows = emptyRows()

  constructor(month: Month, catalog: readonly MonthProduct[], random: SeededRandom, fee: bigint) {
    this.#month = month
    this.#products = catalog
    this.#random = random
    this.#fee = fee
  }

  async write(client: PoolClient): Promise<void> {
    for (const table of tables) await copyRows(client, table, this.#rows[table])
    this.#rows = emptyRows()
  }

  /** @param atMost subscriptions */
  addBuyer(atMost: number): void {
    const account_id = spreadAccountId(this.accounts)
    this.accounts += 1
    const { start } = monthPeriod(this.#month)
    const email = `${account_id}@example.com`
    this.#rows.account.push({ account_id, name: 'Somebody', email, email_verified: true, created_at: start })
    const first = this.#random.between(0, this.#products.length - 1)
    const count = atMost > 1 && this.#random.chance(secondProductShare) ? 2 : 1
    for (let index = 0; index < count; index += 1) {
      const product = this.#products[(first + index) % this.#products.length]
      if (product !== undefined) this.#addSubscription(account_id, product)
    }
  }

  #addSubscription(accountId: string, product: MonthProduct): void {
    this.subscriptions += 1
    const { start } = monthPeriod(this.#month)
    const createdAt = new Date(start.getTime() + this.#random.between(1, 10 * 24) * hourMs)
    const subscription = { accountId, subscriptionId: this.#random.uuid(), product, createdAt }
    const cancelled = this.#random.chance(cancelledShare)
    const endedAt = cancelled ? new Date(createdAt.getTime() + this.#random.between(24, 18 * 24) * hourMs) : null
    this.#rows.subscription.push({
      account_id: accountId,
      subscription_id: subscription.subscriptionId,
      product_code: product.productCode,
      seller_account_id: product.sellerAccountId,
      state: cancelled ? 'cancelled' : 'active',
      end_reason: cancelled ? 'cancelled-by-operator' : null,
      created_at: createdAt,
      activated_at: createdAt,
      ended_at: endedAt,
    })
    if (product.monthly > 0n) this.#addPaidSignUp(subscription)
    this.#addMachines(subscription, endedAt)
  }

  /** What placing and collecting the order has left: the prorated first month, paid, deposited, its settlement to come. */
  #addPaidSignUp({ accountId, subscriptionId, product, createdAt }: NewSubscription): void {
    const amount = prorateFrom(product.monthly, createdAt)
    const bill = { account_id: accountId, invoice_id: this.#random.uuid() }
    const revenue = {
      seller_account_id: product.sellerAccountId,
      product_code: product.productCode,
      month: this.#month,
    }
    this.#rows.invoice.push({
      ...bill,
      kind: 'sign-up',
      month: this.#month,
      subscription_id: subscriptionId,
      currency: 'USD',
      total: amount,
      amount_due: amount,
      state: 'paid',
      issued_at: createdAt,
      paid_at: createdAt,
    })
    this.#rows.invoice_line.push({
      ...bill,
      ...revenue,
      line_number: 1,
      subscription_id: subscriptionId,
      kind: 'monthly',
      period_start: startOfDay(createdAt),
      period_end: monthPeriod(this.#month).end,
      quantity: 1,
      price_version: 1,
      amount,
    })
    this.#rows.payment_attempt.push({
      ...bill,
      attempt_number: 1,
      state: 'succeeded',
      amount,
      currency: 'USD',
      payment_method_id: 'pm_bench',
      processor_payment_id: `pi_${bill.invoice_id}`,
      started_at: createdAt,
      settled_at: createdAt,
    })
    const book = (kind: string, debit: string, credit: string, minor: bigint, reference = '1'): void => {
      this.#rows.transfer.push({
        ...bill,
        // Cash is booked as a whole, whoever it is for.
        ...(kind === 'paid' ? { seller_account_id: null, product_code: null, month: null } : revenue),
        transfer_id: this.#random.uuid(),
        kind,
        debit,
        credit,
        reference: `${bill.invoice_id}/${reference}`,
        amount: minor,
        currency: 'USD',
        at: createdAt,
      })
    }
    book('billed', 'receivable', 'expected-revenue', amount)
    book('paid', 'processor', 'receivable', amount)
    book('deposited', 'expected-revenue', 'seller-balance', amount)
    book('transaction-fee', 'seller-balance', 'transaction-fees', this.#fee, product.productCode)
    const { product_code, month } = revenue
    this.#rows.settlement_due.push({ account_id: accountId, product_code, month, due_at: startOfNextDay(createdAt) })
  }

  /** One to five instance types, three on average, and a machine or two of each. */
  #addMachines(subscription: NewSubscription, endedAt: Date | null): void {
    const { accountId, createdAt } = subscription
    const reservationId = `r-${this.#random.hex(17)}`
    this.#rows.reservation.push({ account_id: accountId, reservation_id: reservationId, created_at: createdAt })
    const firstType = this.#random.between(0, instanceTypes.length - 1)
    const types = this.#random.between(1, 5)
    let index = 0
    for (let type = 0; type < types; type += 1) {
      const instanceType = instanceTypes[(firstType + type) % instanceTypes.length] ?? 'm1.small'
      for (let machines = this.#random.chance(1 / 3) ? 2 : 1; machines > 0; machines -= 1) {
        this.#addMachine(subscription, endedAt, { reservationId, index, instanceType })
        index += 1
      }
    }
  }

  /** A run inside the subscription and the month; a quarter of those that may go on do. */
  #addMachine(
    { accountId, subscriptionId, product, createdAt }: NewSubscription,
    subscriptionEndedAt: Date | null,
    launch: { reservationId: string; index: number; instanceType: string },
  ): void {
    this.runs += 1
    const until = (subscriptionEndedAt ?? monthPeriod(this.#month).end).getTime()
    const startedMs = createdAt.getTime() + Math.floor((until - createdAt.getTime()) * 0.9 * this.#random.next())
    const open = subscriptionEndedAt === null && this.#random.chance(openShare)
    const endedAt = open ? null : new Date(startedMs + Math.floor((until - startedMs) * this.#random.next()))
    const startedAt = new Date(startedMs)
    const machine = {
      account_id: accountId,
      instance_id: `i-${this.#random.hex(17)}`,
      product_code: product.productCode,
      subscription_id: subscriptionId,
      region,
      environment,
      instance_type: launch.instanceType,
    }
    this.#rows.instance.push({
      ...machine,
      reservation_id: launch.reservationId,
      launch_index: launch.index,
      image_id: 'ami-00000000',
      availability_zone: `${region}a`,
      architecture: 'x86_64',
      private_ip: '10.0.0.4',
      state: open ? 'running' : 'terminated',
      sequence: open ? 2 : 4,
      launched_at: startedAt,
      state_changed_at: endedAt ?? startedAt,
    })
    this.#rows.instance_run.push({ ...machine, run_number: 1, started_at: startedAt, ended_at: endedAt })
  }
}

function emptyRows(): Record<Table, Row[]> {
  return Object.fromEntries(tables.map((table) => [table, []])) as unknown as Record<Table, Row[]>
}

/** Distinct twelve digits that lie as far apart as random ones: multiplication by a number coprime to the range. */
function spreadAccountId(index: number): string {
  const range = 900_000_000_000n
  return String(100_000_000_000n + (((BigInt(index) + 1n) * 618_033_988_751n) % range))
}

/** When the month can be closed: a little after its end, as a service would. */
export function closingInstant(month: Month): Date {
  return new Date(monthPeriod(nextMonth(month)).start.getTime() + 5000)
}
