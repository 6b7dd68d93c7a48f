import { Fault } from '../base/fault.ts'
import { prorateFrom } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { findCard } from '../payments/find-card.ts'
import { openDebt } from '../payments/open-debt.ts'
import { findProductByOffering } from '../products/find-product.ts'
import { priceInForce } from '../products/price-in-force.ts'
import { isOnSale } from '../products/products.ts'
import { liveSubscription } from '../subscriptions/find-subscription.ts'
import type { OrderQuote } from './orders.ts'

/**
 * What an order placed now would say and charge (spec §4). Writes nothing.
 *
 * @param request.accountId the buyer, once signed in: adds card, debt and the subscription there may be already
 * @throws Fault ProductNotFound when the offering is unknown or not on sale; a withdrawn product is still quoted to those
 * who subscribe to it, so that they find their way back
 */
export async function orderQuote(
  tx: Transaction,
  request: { readonly accountId?: string | undefined; readonly offeringCode: string },
): Promise<OrderQuote> {
  const { accountId, offeringCode } = request
  const product = await findProductByOffering(tx, offeringCode)
  if (product === undefined) {
    throw new Fault('ProductNotFound', `There is nothing on sale under ${offeringCode}; check the purchase URL.`)
  }
  const { productCode } = product
  const live = accountId === undefined ? undefined : await liveSubscription(tx, { accountId, productCode })
  if (!isOnSale(product) && live === undefined) {
    throw new Fault(
      'ProductNotFound',
      product.state === 'withdrawn'
        ? `${product.name} is no longer sold.`
        : `There is nothing on sale under ${offeringCode} yet; ask the seller.`,
    )
  }
  const price = await priceInForce(tx, productCode, tx.now)
  const firstMonth = prorateFrom(price.monthly, tx.now)
  const card = accountId === undefined ? undefined : await findCard(tx, accountId)
  return {
    product,
    price,
    oneTime: price.oneTime,
    firstMonth,
    initialCharge: price.oneTime + firstMonth,
    currency: price.currency,
    ...(card === undefined ? {} : { card }),
    ...(live === undefined ? {} : { liveSubscription: live }),
    debt: accountId === undefined ? [] : await openDebt(tx, accountId),
  }
}
