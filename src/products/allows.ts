import type { Transaction } from '../database/database.ts'
import type { InstanceConfiguration } from './dimension.ts'
import type { ProductConfiguration } from './products.ts'
import { configurationHolds, selectConfiguration } from './store.ts'

/** Whether a product may run there: nobody, its owner included, launches outside the configuration (spec §2). */
export async function configurationAllows(
  tx: Transaction,
  productCode: string,
  configuration: InstanceConfiguration,
): Promise<boolean> {
  return await configurationHolds(tx, productCode, configuration)
}

/** All that a product covers; empty only for a product that does not exist. */
export async function configurationOf(tx: Transaction, productCode: string): Promise<ProductConfiguration> {
  return await selectConfiguration(tx, productCode)
}
