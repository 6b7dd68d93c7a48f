import type { Month } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { listProducts } from '../products/find-product.ts'
import { countForReport } from './store.ts'

/** Figures of one product, or of all of them. */
export interface SubscriptionFigures {
  /** Subscribed and not cancelled when the month ended, or now while it runs. */
  readonly subscribed: number
  /** Of these, subscribed in the month. */
  readonly subscribedNew: number
  /** Cancellations in the month; each counts, also of one buyer who came back. */
  readonly cancelled: number
}

export interface SubscriptionReport extends SubscriptionFigures {
  readonly month: Month
  /** Every product of the seller, those without subscribers too, in the order of registration. */
  readonly products: readonly (SubscriptionFigures & { readonly productCode: string; readonly name: string })[]
}

const none: SubscriptionFigures = { subscribed: 0, subscribedNew: 0, cancelled: 0 }
const pageSize = 1000

/**
 * The seller's subscription report (spec §8). Orders still being vetted, and those that failed, are not subscriptions.
 *
 * @param query.productCode only this product, when it is the seller's
 */
export async function subscriptionReport(
  tx: Transaction,
  query: {
    readonly sellerAccountId: string
    readonly month: Month
    readonly productCode?: string | undefined
  },
): Promise<SubscriptionReport> {
  const counted = new Map((await countForReport(tx, query)).map((row) => [row.productCode, row]))
  const products = []
  for (const { productCode, name } of await allProducts(tx, query.sellerAccountId)) {
    if (query.productCode !== undefined && query.productCode !== productCode) continue
    products.push({ ...(counted.get(productCode) ?? none), productCode, name })
  }
  const total = products.reduce<SubscriptionFigures>(
    (sum, row) => ({
      subscribed: sum.subscribed + row.subscribed,
      subscribedNew: sum.subscribedNew + row.subscribedNew,
      cancelled: sum.cancelled + row.cancelled,
    }),
    none,
  )
  return { month: query.month, ...total, products }
}

async function allProducts(tx: Transaction, sellerAccountId: string) {
  const products = []
  for (;;) {
    const page = await listProducts(tx, { sellerAccountId, after: products.at(-1)?.productCode, limit: pageSize })
    products.push(...page)
    if (page.length < pageSize) return products
  }
}
