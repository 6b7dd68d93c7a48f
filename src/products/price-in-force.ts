import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import type { PriceVersion } from './products.ts'
import { selectPriceVersions } from './store.ts'

/**
 * The price at an instant: the version with the latest effective instant not after it.
 *
 * @throws Fault ProductNotFound when there is no such product, or it had no price yet
 */
export async function priceInForce(tx: Transaction, productCode: string, at: Date): Promise<PriceVersion> {
  const [price] = await selectPriceVersions(tx, productCode, { at })
  if (price === undefined) {
    throw new Fault('ProductNotFound', `There is no product ${productCode} with a price at ${at.toISOString()}.`)
  }
  return price
}

/** Every version, oldest first. */
export async function priceVersions(tx: Transaction, productCode: string): Promise<PriceVersion[]> {
  return await selectPriceVersions(tx, productCode, {})
}
