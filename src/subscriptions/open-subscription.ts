import { newUuid } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import type { Product } from '../products/products.ts'
import { insertPending, selectLive } from './store.ts'
import type { Subscription } from './subscriptions.ts'

/** The other order can end between our two looks at it; it does not go on doing so. */
const looksMax = 20

/**
 * Opens a pending subscription, unless the buyer has a live one of the product: then that one is returned. Of two orders
 * at once one opens; the other waits for it and gets its row.
 *
 * @returns the buyer's live subscription, and whether this call opened it
 */
export async function openSubscription(
  tx: Transaction,
  request: { readonly accountId: string; readonly product: Pick<Product, 'productCode' | 'sellerAccountId'> },
): Promise<{ readonly subscription: Subscription; readonly opened: boolean }> {
  const { accountId } = request
  const { productCode, sellerAccountId } = request.product
  for (let look = 1; look <= looksMax; look += 1) {
    const opened = await insertPending(tx, { accountId, subscriptionId: newUuid(), productCode, sellerAccountId })
    if (opened !== undefined) return { subscription: opened, opened: true }
    const live = await selectLive(tx, { accountId, productCode })
    if (live !== undefined) return { subscription: live, opened: false }
  }
  throw new Error(`the live subscription of ${accountId} to ${productCode} came and went ${looksMax} times`)
}
