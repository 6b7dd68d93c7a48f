import { isUuid } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import {
  selectLive,
  selectOfAccount,
  selectOfProduct,
  selectSubscription,
  type SubscriptionReference,
} from './store.ts'
import { subscriptionStates, type RowLock, type Subscription, type SubscriptionState } from './subscriptions.ts'

/** One subscription of an account; undefined when the account has none of that id. */
export async function findSubscription(
  tx: Transaction,
  of: SubscriptionReference & { readonly lock?: RowLock | undefined },
): Promise<Subscription | undefined> {
  if (!isUuid(of.subscriptionId)) return undefined
  return await selectSubscription(tx, of, of.lock)
}

/**
 * The pending or active subscription of a buyer and product, at most one.
 *
 * @param of.lock keeps it as it is until the transaction ends; waits for a change under way
 */
export async function liveSubscription(
  tx: Transaction,
  of: { readonly accountId: string; readonly productCode: string; readonly lock?: RowLock | undefined },
): Promise<Subscription | undefined> {
  return await selectLive(tx, of)
}

/**
 * A buyer's subscriptions, ended ones too, oldest first.
 *
 * @param of.after id of the last subscription of the page before
 * @param of.limit all of them when left out
 */
export async function listSubscriptions(
  tx: Transaction,
  of: { readonly accountId: string; readonly after?: string | undefined; readonly limit?: number },
): Promise<Subscription[]> {
  return await selectOfAccount(tx, of)
}

const pageSizeDefault = 100
const pageSizeMax = 1000

/**
 * A product's subscriptions, oldest first.
 *
 * @param query.states all states when left out; none when empty
 * @param query.after the last subscription of the page before
 * @param query.limit at most 1000, 100 when left out
 */
export async function subscribersOf(
  tx: Transaction,
  productCode: string,
  query: {
    readonly states?: readonly SubscriptionState[] | undefined
    readonly after?: SubscriptionReference | undefined
    readonly limit?: number | undefined
  } = {},
): Promise<Subscription[]> {
  const limit = Math.min(Math.max(query.limit ?? pageSizeDefault, 1), pageSizeMax)
  return await selectOfProduct(tx, {
    productCode,
    states: query.states ?? subscriptionStates,
    after: query.after,
    limit,
  })
}
