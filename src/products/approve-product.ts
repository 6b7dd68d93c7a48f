import { publicUrlOf } from '../base/config.ts'
import type { Transaction } from '../database/database.ts'
import { writeMail } from '../notices/write-mail.ts'
import { changeState, type StateRequest } from './change-state.ts'
import { purchaseUrl, type Product } from './products.ts'

/**
 * Lets a product sell: pending-approval → approved, and tells the seller. Approval publishes nothing (spec §2): the seller
 * spreads the purchase URL.
 *
 * @throws Fault ProductNotFound, Forbidden, IncorrectState
 */
export async function approveProduct(tx: Transaction, request: StateRequest): Promise<Product> {
  const { product, changed } = await changeState(tx, request, {
    from: 'pending-approval',
    to: 'approved',
    by: 'operator',
    action: 'product.approve',
  })
  if (!changed) return product
  const url = purchaseUrl(publicUrlOf(tx.config), product.offeringCode)
  await writeMail(tx, {
    reference: `product/${product.productCode}/approved`,
    kind: 'product-approved',
    accountId: product.sellerAccountId,
    recipient: product.privateContactEmail,
    subject: `${product.name} is approved`,
    paragraphs: [
      `Your product ${product.name} is approved and can be bought from now on.`,
      `Put product code ${product.productCode} on your images, and give this purchase URL to your buyers: ${url}`,
    ],
    action: { label: 'Open the purchase page', url },
  })
  return product
}
