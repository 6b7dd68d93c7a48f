/**
 * Subscriptions: who may use which product (spec §4, §6).
 *
 * A subscription is opened **pending** by an order. Vetting the order makes it **active**, or **failed** when the initial
 * charge or the card is refused (`payment-refused`). An active one becomes **cancelled**: by its buyer, by the operator, or
 * for non-payment. Failed and cancelled are final: subscribing again opens another subscription. Pending and active are
 * the live states, and a buyer has at most one live subscription of a product, by constraint. A pending subscription can
 * not be cancelled: its card may be charged at this moment, and the answer decides.
 *
 * Every change is a compare-and-set on the state it starts from, so of two that race one has its effect and the other
 * finds that it changed nothing. A launch holds the row shared while it writes its instances: it comes wholly before a
 * cancellation, whose end-of-access policy then meets those instances, or wholly after it and is refused.
 *
 * When a subscription is cancelled its running instances are left alone for a grace period; then the product's
 * end-of-access policy acts on them (`endOfAccessDueAt`; not with `leave-running`).
 */
export const subscriptionStates = ['pending', 'active', 'failed', 'cancelled'] as const
export type SubscriptionState = (typeof subscriptionStates)[number]

export const endReasons = ['payment-refused', 'cancelled-by-buyer', 'non-payment', 'cancelled-by-operator'] as const
export type EndReason = (typeof endReasons)[number]

/** Why an active subscription can end. */
export type CancelReason = Exclude<EndReason, 'payment-refused'>

export interface Subscription {
  /** The buyer's. */
  readonly accountId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  readonly state: SubscriptionState
  readonly endReason?: EndReason
  readonly createdAt: Date
  readonly activatedAt?: Date
  readonly endedAt?: Date
  /** When the end-of-access policy acts; missing when nothing is to be done, or once it is done. */
  readonly endOfAccessDueAt?: Date
}

/** Whether it stands in the way of another of the same product. */
export function isLive(subscription: Pick<Subscription, 'state'>): boolean {
  return subscription.state === 'pending' || subscription.state === 'active'
}

/** How a row is locked until the transaction ends: shared by launches, alone by changes. */
export type RowLock = 'share' | 'update'
