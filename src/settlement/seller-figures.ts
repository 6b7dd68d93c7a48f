/** What a seller sees of their money (spec §8): the month so far, its waterfall, and every transaction. */
import type { Currency } from '../base/money.ts'
import { monthOf, monthPeriod, type Month } from '../base/period.ts'
import { addMs } from '../base/time.ts'
import type { Transaction } from '../database/database.ts'
import type { TransferKind } from '../ledger/ledger.ts'
import { countProductUsage } from '../metering/count-usage.ts'
import { PriceBook } from '../rating/price-book.ts'
import { rate } from '../rating/rate.ts'
import {
  selectBilled,
  selectMoved,
  selectSellerProducts,
  selectTransactions,
  type BilledRow,
  type KindRow,
  type SellerProductRow,
  type TransactionRow,
} from './figures-store.ts'

export interface UsageFigure {
  readonly dimension: string
  readonly quantity: bigint
  readonly amount: bigint
  readonly cost: bigint
}

/** A product's month, amounts in minor units of its currency. */
export interface ProductActivity {
  readonly productCode: string
  readonly name: string
  readonly currency: Currency
  readonly usage: readonly UsageFigure[]
  /** Revenue of the month by what it is for: billed, and for use not billed yet, priced so far. */
  readonly oneTime: bigint
  readonly monthly: bigint
  readonly usageRevenue: bigint
  /** The three together: what is expected once everybody pays. */
  readonly expectedRevenue: bigint
  /** Collected so far. */
  readonly actualRevenue: bigint
  readonly refunds: bigint
  /** The cloud's rate for the use, so far. */
  readonly cost: bigint
  /** Of it, already charged to the seller. */
  readonly costCharged: bigint
  /** Expected revenue less refunds less cost; negative when the product runs at a loss. */
  readonly valueAdd: bigint
  readonly percentageFees: bigint
  readonly transactionFees: bigint
  /** Collected bills that bore the transaction fee. */
  readonly transactions: number
  /** What the month has added to the seller's balance so far. */
  readonly net: bigint
}

export interface SellerActivity {
  readonly month: Month
  readonly products: readonly ProductActivity[]
  /** One per currency, the sum of the products in it: the waterfall of the month. */
  readonly totals: readonly Omit<ProductActivity, 'productCode' | 'name' | 'usage'>[]
}

/**
 * A seller's month, per product and in all: use, revenue expected and collected, costs, value-add, fees, refunds. Use that
 * is not billed yet is priced as it will be, up to now.
 *
 * @param of.month the present one by default
 */
export async function sellerActivity(
  tx: Transaction,
  of: { sellerAccountId: string; month?: Month },
): Promise<SellerActivity> {
  const month = of.month ?? monthOf(tx.now)
  const products = await selectSellerProducts(tx, of.sellerAccountId)
  const billed = [...(await selectBilled(tx, of.sellerAccountId, month)), ...(await notBilledYet(tx, products, month))]
  const moved = await selectMoved(tx, of.sellerAccountId, month)
  const activities = products.map((product) =>
    activityOf(
      product,
      billed.filter((row) => row.productCode === product.productCode),
      moved.filter((row) => row.productCode === product.productCode),
    ),
  )
  const totals = [...Map.groupBy(activities, (activity) => activity.currency).values()].map(total)
  return { month, products: activities, totals }
}

async function notBilledYet(
  tx: Transaction,
  products: readonly SellerProductRow[],
  month: Month,
): Promise<BilledRow[]> {
  const { start, end } = monthPeriod(month)
  // As in a buyer's estimate: the hour that begins now is in.
  const until = new Date(Math.min(end.getTime(), addMs(tx.now, 1).getTime()))
  const codes = products.map((product) => product.productCode)
  if (until <= start || codes.length === 0) return []
  const book = new PriceBook({ start, end: until })
  await book.load(tx, codes)
  const counts = await countProductUsage(tx, { segments: book.segments(codes), month })
  return counts.map((count) => {
    const rated = rate(count, book.periodAt(count.productCode, count.periodStart))
    return {
      productCode: count.productCode,
      kind: 'usage',
      dimension: count.dimension,
      quantity: count.quantity * count.subscriptions,
      amount: rated.amount * count.subscriptions,
      cost: rated.cost * count.subscriptions,
    }
  })
}

function activityOf(
  product: SellerProductRow,
  billed: readonly BilledRow[],
  moved: readonly KindRow[],
): ProductActivity {
  const billedAs = (kind: BilledRow['kind']): bigint =>
    sum(
      billed.filter((row) => row.kind === kind),
      'amount',
    )
  const movedAs = (kind: TransferKind): bigint =>
    sum(
      moved.filter((row) => row.kind === kind),
      'amount',
    )
  const expectedRevenue = sum(billed, 'amount')
  const cost = sum(billed, 'cost')
  const refunds = movedAs('refunded')
  const charges = { costCharged: movedAs('cloud-cost'), percentageFees: movedAs('percentage-fee') }
  const transactionFees = movedAs('transaction-fee')
  const deposited = movedAs('deposited')
  return {
    ...product,
    usage: usageOf(billed),
    oneTime: billedAs('one-time'),
    monthly: billedAs('monthly'),
    usageRevenue: billedAs('usage'),
    expectedRevenue,
    actualRevenue: deposited,
    refunds,
    cost,
    valueAdd: expectedRevenue - refunds - cost,
    ...charges,
    transactionFees,
    transactions: moved.find((row) => row.kind === 'transaction-fee')?.count ?? 0,
    net: deposited - refunds - charges.costCharged - charges.percentageFees - transactionFees,
  }
}

function usageOf(billed: readonly BilledRow[]): UsageFigure[] {
  const usage = billed.filter((row) => row.kind === 'usage')
  return [...Map.groupBy(usage, (row) => row.dimension ?? '')].map(([dimension, rows]) => ({
    dimension,
    quantity: sum(rows, 'quantity'),
    amount: sum(rows, 'amount'),
    cost: sum(rows, 'cost'),
  }))
}

function total(activities: readonly ProductActivity[]): SellerActivity['totals'][number] {
  const [{ currency }] = activities as [ProductActivity, ...ProductActivity[]]
  return {
    currency,
    oneTime: sum(activities, 'oneTime'),
    monthly: sum(activities, 'monthly'),
    usageRevenue: sum(activities, 'usageRevenue'),
    expectedRevenue: sum(activities, 'expectedRevenue'),
    actualRevenue: sum(activities, 'actualRevenue'),
    refunds: sum(activities, 'refunds'),
    cost: sum(activities, 'cost'),
    costCharged: sum(activities, 'costCharged'),
    valueAdd: sum(activities, 'valueAdd'),
    percentageFees: sum(activities, 'percentageFees'),
    transactionFees: sum(activities, 'transactionFees'),
    transactions: activities.reduce((count, activity) => count + activity.transactions, 0),
    net: sum(activities, 'net'),
  }
}

function sum<Key extends string>(rows: readonly Readonly<Record<Key, bigint>>[], key: Key): bigint {
  return rows.reduce((amount, row) => amount + row[key], 0n)
}

const pageMax = 100

/** One movement of a seller's balance. */
export type SellerTransaction = TransactionRow

/**
 * Everything that moved a seller's balance, newest first: deposits, charges, refunds, payouts.
 *
 * @param of.month only what belongs to a month
 * @param of.before the last transaction of the page before
 * @param of.limit at most 100, and 100 by default
 */
export async function sellerTransactions(
  tx: Transaction,
  of: {
    sellerAccountId: string
    month?: Month
    before?: Pick<SellerTransaction, 'at' | 'transferId'>
    limit?: number
  },
): Promise<SellerTransaction[]> {
  const { sellerAccountId, month, before } = of
  return await selectTransactions(tx, { sellerAccountId, month, before, limit: Math.min(of.limit ?? pageMax, pageMax) })
}
