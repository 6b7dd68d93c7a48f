import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { writeMail } from '../notices/write-mail.ts'
import { changeState, reasonCharactersMax, type StateRequest } from './change-state.ts'
import { paragraphs } from './plain-text.ts'
import type { Product } from './products.ts'

/**
 * Refuses a product: pending-approval → rejected, and tells the seller why.
 *
 * @param request.reason the seller reads it
 * @throws Fault InvalidParameter without a usable reason, ProductNotFound, Forbidden, IncorrectState
 */
export async function rejectProduct(
  tx: Transaction,
  request: StateRequest & { readonly reason: string },
): Promise<Product> {
  const reason = checkReason(request.reason)
  const { product, changed } = await changeState(tx, request, {
    from: 'pending-approval',
    to: 'rejected',
    by: 'operator',
    action: 'product.reject',
    reason,
  })
  if (!changed) return product
  await writeMail(tx, {
    reference: `product/${product.productCode}/rejected`,
    kind: 'product-rejected',
    accountId: product.sellerAccountId,
    recipient: product.privateContactEmail,
    subject: `${product.name} is not approved`,
    paragraphs: [
      `Your product ${product.name} (${product.productCode}) is not approved, and cannot be bought.`,
      `The operator says: ${reason}`,
      'To try again, register the product anew with what is asked for.',
    ],
  })
  return product
}

/** @throws Fault InvalidParameter */
export function checkReason(text: string): string {
  const result = paragraphs(reasonCharactersMax).safeParse(text)
  if (result.success) return result.data
  const message = result.error.issues[0]?.message ?? 'cannot be used'
  throw new Fault('InvalidParameter', `The reason ${message}.`, { data: { reason: message } })
}
