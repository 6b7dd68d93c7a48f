/**
 * What a month's bill says, before it is written: a pure function of subscriptions, counts and prices. Closing a month,
 * the estimate of a month under way and the proof that a closed month rates the same again all draft by this file.
 */
import type { Currency } from '../base/money.ts'
import { monthOf, monthPeriod, nextMonth, type Month } from '../base/period.ts'
import type { UsageCount } from '../metering/metering.ts'
import { rate } from '../rating/rate.ts'
import type { PriceBook } from '../rating/price-book.ts'
import type { LineDraft } from './invoices.ts'

/** A subscription as its bill sees it. */
export interface BilledSubscription {
  readonly accountId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  readonly state: 'pending' | 'active' | 'cancelled'
  readonly createdAt: Date
  readonly activatedAt: Date | null
}

/** A line with the currency of the bill it goes on. */
export interface DraftedLine extends LineDraft {
  readonly accountId: string
  readonly currency: Currency
}

/** Prices counted usage: one line for each count, since a count lies inside one price period. */
export function draftUsage(month: Month, counts: readonly UsageCount[], book: PriceBook): DraftedLine[] {
  return counts.map((count) => {
    const inForce = book.periodAt(count.productCode, count.periodStart)
    return {
      accountId: count.accountId,
      subscriptionId: count.subscriptionId,
      productCode: count.productCode,
      sellerAccountId: count.sellerAccountId,
      kind: 'usage',
      dimension: count.dimension,
      month,
      periodStart: count.periodStart,
      periodEnd: count.periodEnd,
      quantity: count.quantity,
      currency: inForce.price.currency,
      ...rate(count, inForce),
    }
  })
}

/**
 * The months a subscription is charged for when a month is closed: the next one. A subscription whose order was still
 * being vetted when an earlier month was closed was not charged then; it is charged for those months now, in arrears. The
 * month of the sign-up is on the sign-up's own bill.
 */
export function monthsToCharge(subscription: BilledSubscription, closing: Month): Month[] {
  const { state, createdAt, activatedAt } = subscription
  if (state !== 'active' || activatedAt === null || createdAt >= monthPeriod(closing).end) return []
  if (monthOf(createdAt) === monthOf(activatedAt)) return [nextMonth(closing)]
  const months: Month[] = []
  for (let month = nextMonth(monthOf(createdAt)); month <= nextMonth(closing); month = nextMonth(month))
    months.push(month)
  return months
}

/** Whether `monthsToCharge` may name months that an earlier close has charged already. */
export function mayBeCharged(subscription: BilledSubscription): boolean {
  return subscription.activatedAt !== null && monthOf(subscription.createdAt) !== monthOf(subscription.activatedAt)
}

/**
 * The charge of a whole month, at the price in force when the month begins; undefined when it is nothing.
 *
 * @param book of that month, with the product loaded
 */
export function draftCharge(subscription: BilledSubscription, month: Month, book: PriceBook): DraftedLine | undefined {
  const { start, end } = monthPeriod(month)
  const { price } = book.periodAt(subscription.productCode, start)
  if (price.monthly === 0n) return undefined
  return {
    accountId: subscription.accountId,
    subscriptionId: subscription.subscriptionId,
    productCode: subscription.productCode,
    sellerAccountId: subscription.sellerAccountId,
    kind: 'monthly',
    dimension: null,
    month,
    periodStart: start,
    periodEnd: end,
    quantity: 1n,
    priceVersion: price.version,
    rateNano: null,
    amount: price.monthly,
    rateCardVersion: null,
    costRateNano: null,
    cost: 0n,
    currency: price.currency,
  }
}

/** The order of lines on a bill: by product and subscription, the use of the month before the charge for the next. */
export function inBillOrder(lines: readonly DraftedLine[]): DraftedLine[] {
  const key = (line: DraftedLine): string =>
    [
      line.productCode,
      line.subscriptionId,
      line.kind === 'usage' ? '0' : '1',
      line.dimension ?? '',
      line.periodStart.toISOString(),
    ].join('\n')
  return lines
    .map((line) => ({ line, key: key(line) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ line }) => line)
}
