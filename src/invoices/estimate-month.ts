import type { Currency } from '../base/money.ts'
import { monthOf, monthPeriod, type Month } from '../base/period.ts'
import { addMs } from '../base/time.ts'
import type { Transaction } from '../database/database.ts'
import { countUsage } from '../metering/count-usage.ts'
import { PriceBook } from '../rating/price-book.ts'
import { isClosed, selectSubscriptions } from './close-store.ts'
import { draftUsage, inBillOrder } from './draft-month.ts'
import type { LineDraft } from './invoices.ts'
import { selectLinesOfMonth } from './store.ts'

/** What a month has cost so far for one product. */
export interface ProductEstimate {
  readonly productCode: string
  readonly sellerAccountId: string
  readonly currency: Currency
  /** Charges for the month, and its use. */
  readonly lines: readonly LineDraft[]
  /** Sum of the lines, minor units. */
  readonly amount: bigint
  /** What the cloud charges the seller for the use, minor units. */
  readonly cost: bigint
}

export interface MonthEstimate {
  readonly month: Month
  /** The month is closed: these are the lines of its bills. Otherwise usage is counted up to now. */
  readonly final: boolean
  readonly products: readonly ProductEstimate[]
  /** One total per currency, minor units. */
  readonly totals: readonly { readonly currency: Currency; readonly amount: bigint }[]
}

/**
 * A buyer's month to date (spec §7, §9): the charges **for** the month, whichever bill they are on, and the use **in** it, so far
 * when it is under way. Hours that begin at this very instant are in.
 *
 * @param of.month the present one by default
 */
export async function estimateMonth(tx: Transaction, of: { accountId: string; month?: Month }): Promise<MonthEstimate> {
  const month = of.month ?? monthOf(tx.now)
  const final = await isClosed(tx, of.accountId, month)
  const billed = await selectLinesOfMonth(tx, { accountId: of.accountId, month })
  const lines: (LineDraft & { currency: Currency })[] = final
    ? billed
    : [...billed, ...(await usageSoFar(tx, of.accountId, month))]
  const products = [...Map.groupBy(lines, (line) => line.productCode)]
    .map(([productCode, group]) => {
      const [first] = group as [(typeof lines)[number], ...typeof lines]
      const { sellerAccountId, currency } = first
      const amount = group.reduce((total, line) => total + line.amount, 0n)
      const cost = group.reduce((total, line) => total + line.cost, 0n)
      return { productCode, sellerAccountId, currency, lines: group, amount, cost }
    })
    .toSorted((a, b) => (a.productCode < b.productCode ? -1 : 1))
  const totals = [...Map.groupBy(products, (product) => product.currency)].map(([currency, group]) => ({
    currency,
    amount: group.reduce((total, product) => total + product.amount, 0n),
  }))
  return { month, final, products, totals }
}

async function usageSoFar(
  tx: Transaction,
  accountId: string,
  month: Month,
): Promise<(LineDraft & { currency: Currency })[]> {
  const { start, end } = monthPeriod(month)
  // An hour is charged when it begins, so the one that begins now is in: half-open periods end a millisecond later.
  const until = new Date(Math.min(end.getTime(), addMs(tx.now, 1).getTime()))
  if (until <= start) return []
  const subscriptions = await selectSubscriptions(tx, [accountId], until)
  const products = new Set(subscriptions.map((subscription) => subscription.productCode))
  const book = new PriceBook({ start, end: until })
  await book.load(tx, products)
  const counts = await countUsage(tx, { accountIds: [accountId], segments: book.segments(products) })
  return inBillOrder(draftUsage(month, counts, book))
}
