import type { Transaction } from '../database/database.ts'
import type { Order } from './orders.ts'
import { selectOrderOf } from './store.ts'

/** What the buyer of a subscription agreed to; undefined when the account has no such subscription. */
export async function findOrder(
  tx: Transaction,
  of: { readonly accountId: string; readonly subscriptionId: string },
): Promise<Order | undefined> {
  return await selectOrderOf(tx, of)
}
