/**
 * What a paid instance needs besides the image (spec §11), in this order: its type, region and environment inside the
 * product's configuration, for everyone; and a live subscription, for everyone but the product's own seller, who is not billed the own
 * price. The subscription's row is locked in share mode until the transaction ends: a cancellation comes wholly before a
 * launch, which is then refused, or wholly after it, and then finds the instance.
 */
import { present } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { configurationAllows } from '../products/allows.ts'
import type { InstanceConfiguration } from '../products/dimension.ts'
import { findProduct } from '../products/find-product.ts'
import { requireActiveSubscription } from '../subscriptions/require-subscription.ts'

/**
 * @returns the subscription to bill the instance under; undefined for the product's seller
 * @throws Fault OutsideConfiguration, NotSubscribed, SubscriptionSuspended
 */
export async function requireEntitlement(
  tx: Transaction,
  request: { accountId: string; productCode: string; configuration: InstanceConfiguration },
): Promise<string | undefined> {
  const { accountId, productCode, configuration } = request
  const product = present(await findProduct(tx, productCode), `the product of code ${productCode}`)
  if (!(await configurationAllows(tx, productCode, configuration))) {
    throw new Fault(
      'OutsideConfiguration',
      `The product ${productCode} (${product.name}) does not cover ${configuration.instanceType} instances of ${configuration.environment} in ${configuration.region}. Choose a type and region that its seller names.`,
      { data: { ec2Code: 'Unsupported', productCode, ...configuration } },
    )
  }
  if (product.sellerAccountId === accountId) return undefined
  const subscription = await requireActiveSubscription(tx, { accountId, product, lock: 'share' })
  return subscription.subscriptionId
}
