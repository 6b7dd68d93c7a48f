import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import type { Product, ProductState } from './products.ts'
import { selectProduct, selectProductByOffering, selectProducts, selectTokenSealed } from './store.ts'

/** Of product and offering codes. What comes out of an address may be anything, a NUL too, which no text column takes. */
const codeForm = /^[0-9A-F]{8}$/

/** The product with this code, in whatever state. */
export async function findProduct(tx: Transaction, productCode: string): Promise<Product | undefined> {
  return codeForm.test(productCode) ? await selectProduct(tx, productCode) : undefined
}

/** The product whose purchase URL carries this offering code, in whatever state. */
export async function findProductByOffering(tx: Transaction, offeringCode: string): Promise<Product | undefined> {
  return codeForm.test(offeringCode) ? await selectProductByOffering(tx, offeringCode) : undefined
}

/** @throws Fault ProductNotFound */
export async function requireProduct(tx: Transaction, productCode: string): Promise<Product> {
  const product = await findProduct(tx, productCode)
  if (product === undefined) throw new Fault('ProductNotFound', `There is no product ${productCode}.`)
  return product
}

const pageSizeDefault = 100
const pageSizeMax = 1000

/**
 * Products, oldest first.
 *
 * @param query.after product code after which to go on
 * @param query.limit at most 1000, 100 when left out
 */
export async function listProducts(
  tx: Transaction,
  query: {
    readonly sellerAccountId?: string | undefined
    readonly state?: ProductState | undefined
    readonly after?: string | undefined
    readonly limit?: number | undefined
  } = {},
): Promise<Product[]> {
  const limit = Math.min(Math.max(query.limit ?? pageSizeDefault, 1), pageSizeMax)
  return await selectProducts(tx, { ...query, limit })
}

/**
 * The product token in the clear. Only the product's owner may see it: the caller checks that.
 *
 * @throws Fault ProductNotFound
 */
export async function productToken(tx: Transaction, productCode: string): Promise<string> {
  const sealed = await selectTokenSealed(tx, productCode)
  if (sealed === undefined) throw new Fault('ProductNotFound', `There is no product ${productCode}.`)
  return tx.sealer.open(sealed, `product-token:${productCode}`)
}
