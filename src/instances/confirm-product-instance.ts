/** ConfirmProductInstance: the seller asks whether an instance runs under the seller's product code (spec §11). */
import type { Caller } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { requirePlainText } from '../images/plain-text.ts'
import { findProduct } from '../products/find-product.ts'
import { instanceNotFound, requireInstanceIds } from './instances.ts'
import { findInstanceAnywhere } from './store.ts'

/** The answer; `refusal` is what API versions from 2010 on say instead of `return` false. */
export type Confirmation =
  { readonly confirmed: true; readonly ownerId: string } | { readonly confirmed: false; readonly refusal: Fault }

/**
 * @throws Fault InvalidParameter (malformed instance id), ProductNotFound, Forbidden (the product is another's): in every
 *   version, since neither says anything about an instance
 */
export async function confirmProductInstance(
  tx: Transaction,
  request: { caller: Caller; region: string; productCode: string; instanceId: string },
): Promise<Confirmation> {
  const { productCode, instanceId } = request
  requireInstanceIds([instanceId])
  requirePlainText('ProductCode', productCode, 255)
  const product = await findProduct(tx, productCode)
  if (product === undefined) {
    throw new Fault('ProductNotFound', `The product code '${productCode}' does not exist.`, { data: { productCode } })
  }
  if (product.sellerAccountId !== request.caller.accountId) {
    throw new Fault('Forbidden', `Only the owner of the product ${productCode} may confirm its instances.`, {
      data: { ec2Code: 'AuthFailure', productCode },
    })
  }
  const instance = await findInstanceAnywhere(tx, instanceId)
  // An instance without this code is as good as none: who runs what else is not the seller's to know.
  if (instance === undefined || instance.region !== request.region || instance.productCode !== productCode) {
    return { confirmed: false, refusal: instanceNotFound([instanceId]) }
  }
  if (instance.state !== 'running') {
    const refusal = new Fault('IncorrectState', `The instance '${instanceId}' is not running.`, {
      data: { ec2Code: 'IncorrectInstanceState', instanceId },
    })
    return { confirmed: false, refusal }
  }
  return { confirmed: true, ownerId: instance.accountId }
}
