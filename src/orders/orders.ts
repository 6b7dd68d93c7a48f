/**
 * Orders: how a buyer comes to a subscription and leaves it again (spec §4, §5).
 *
 * An order is **placed** in one transaction: the subscription is opened pending, what the buyer agreed to is kept, the
 * sign-up bill is made, and its vetting is planned. From then on the order page has done its part, and the buyer holds an
 * activation key. Vetting charges the bill, or has the bank validate the card where nothing is to be collected now. Then the
 * subscription is active, or it has failed and the bill is void. An order is placed once per drawn page (its nonce), and a
 * buyer who has a live subscription of the product lands on that one, whatever page the order came from.
 *
 * Cancelling ends the subscription at once and gives back the unused part of the month's charge, if it was collected.
 */
import type { Amount, Currency } from '../base/money.ts'
import type { Card } from '../payments/processor.ts'
import type { PriceVersion, Product } from '../products/products.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'

/** What the order page shows, and what an order is checked against. Amounts in minor units. */
export interface OrderQuote {
  readonly product: Product
  readonly price: PriceVersion
  readonly oneTime: bigint
  /** The monthly charge from today, today included, to the end of the month. */
  readonly firstMonth: bigint
  /** What is charged when the order is placed: both of these. */
  readonly initialCharge: bigint
  readonly currency: Currency
  /** On file; an order needs one. */
  readonly card?: Card & { readonly customerId: string }
  /** The buyer's subscription of this product, if there is one already. */
  readonly liveSubscription?: Subscription
  /** What must be paid before another order is taken; empty when nothing is owed. */
  readonly debt: readonly Amount[]
}

/** What the buyer agreed to. */
export interface Order {
  readonly accountId: string
  readonly orderId: string
  readonly nonce: string
  readonly productCode: string
  readonly subscriptionId: string
  readonly priceVersion: number
  readonly oneTime: bigint
  readonly firstMonth: bigint
  readonly currency: Currency
  /** Digest of the terms that were accepted. */
  readonly termsSha256?: string
  readonly paymentMethodId: string
  readonly placedAt: Date
}
