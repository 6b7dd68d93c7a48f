import type { Transaction } from '../database/database.ts'
import { changeState, type StateRequest } from './change-state.ts'
import type { Product } from './products.ts'
import { checkReason } from './reject-product.ts'

/**
 * Takes a product off sale: approved → withdrawn. No new orders; existing subscribers go on (spec §2).
 *
 * @throws Fault InvalidParameter with an unusable reason, ProductNotFound, Forbidden, IncorrectState
 */
export async function withdrawProduct(
  tx: Transaction,
  request: StateRequest & { readonly reason?: string | undefined },
): Promise<Product> {
  const reason = request.reason === undefined ? undefined : checkReason(request.reason)
  const { product } = await changeState(tx, request, {
    from: 'approved',
    to: 'withdrawn',
    by: 'seller',
    action: 'product.withdraw',
    ...(reason === undefined ? {} : { reason }),
  })
  return product
}
