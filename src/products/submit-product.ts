import type { Transaction } from '../database/database.ts'
import { approveProduct } from './approve-product.ts'
import { changeState, type StateRequest } from './change-state.ts'
import type { Product } from './products.ts'

/**
 * Hands a draft in: draft → pending-approval, and on to approved where the deployment approves by itself.
 *
 * @throws Fault ProductNotFound, Forbidden, IncorrectState
 */
export async function submitProduct(tx: Transaction, request: StateRequest): Promise<Product> {
  const { product, changed } = await changeState(tx, request, {
    from: 'draft',
    to: 'pending-approval',
    by: 'seller',
    action: 'product.submit',
  })
  if (!changed || tx.config.approval !== 'automatic') return product
  return await approveProduct(tx, { productCode: product.productCode, actor: 'system' })
}
