import { Fault } from '../base/fault.ts'
import { newActivationKey } from '../base/ids.ts'
import { sha256Hex } from '../base/seal.ts'
import { addMs, hourMs } from '../base/time.ts'
import type { Transaction } from '../database/database.ts'
import { insertActivationKey, selectSubscription, type SubscriptionReference } from './store.ts'
import { isLive } from './subscriptions.ts'

/** Spec §10. */
const activationKeyLifetimeMs = hourMs

/**
 * Makes a new activation key: it ties buyer and product, and is good for one hour. Keys can be made anew at any time;
 * only their digests are kept, so no key can be shown twice.
 *
 * @throws Fault NotFound, or IncorrectState when the subscription has ended
 */
export async function makeActivationKey(tx: Transaction, of: SubscriptionReference): Promise<string> {
  const subscription = await selectSubscription(tx, of, 'share')
  if (subscription === undefined) throw new Fault('NotFound', `There is no subscription ${of.subscriptionId}.`)
  if (!isLive(subscription)) {
    throw new Fault('IncorrectState', 'The subscription has ended; activation keys are made for subscribers only.')
  }
  const key = newActivationKey()
  await insertActivationKey(tx, {
    ...of,
    productCode: subscription.productCode,
    sha256: sha256Hex(key),
    expiresAt: addMs(tx.now, activationKeyLifetimeMs),
  })
  return key
}
