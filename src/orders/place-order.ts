import { recordAudit } from '../accounts/record-audit.ts'
import { publicUrlOf } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { newUuid } from '../base/ids.ts'
import { displayAmount, formatMinor } from '../base/money.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Transaction } from '../database/database.ts'
import { billSignUp } from '../invoices/bill-sign-up.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { requireProduct } from '../products/find-product.ts'
import type { Product } from '../products/products.ts'
import { findSubscription } from '../subscriptions/find-subscription.ts'
import { makeActivationKey } from '../subscriptions/make-activation-key.ts'
import { openSubscription } from '../subscriptions/open-subscription.ts'
import { isLive, type Subscription } from '../subscriptions/subscriptions.ts'
import { orderQuote } from './order-quote.ts'
import type { OrderQuote } from './orders.ts'
import { redirectUrl } from './redirect-url.ts'
import { insertOrder, selectOrderByNonce } from './store.ts'

/** What the buyer sends with **Place your order**. */
export interface OrderRequest {
  readonly accountId: string
  readonly offeringCode: string
  /** Made when the page was drawn, 16 to 128 letters, digits, dashes and underscores; a page sent twice is one order. */
  readonly nonce: string
  /** The initial charge the page showed, minor units. */
  readonly agreedInitialCharge: bigint
  /** The price version the page showed; give it so that a change of an hourly rate is noticed too. */
  readonly agreedPriceVersion?: number | undefined
  /** Needed when the product has terms. */
  readonly termsAccepted: boolean
}

export interface PlacedOrder {
  readonly subscription: Subscription
  readonly product: Product
  /** Good for an hour; new at every call. Missing when a repeated order's subscription has failed or ended since. */
  readonly activationKey: string | undefined
  /** The seller's page with key and product code; missing with the key. */
  readonly redirectUrl: string | undefined
  /** Whether the order was there before this call, or a live subscription of the product was. */
  readonly repeated: boolean
}

/**
 * Places an order (spec §4): one transaction, one effect, however often and from however many tabs it is sent.
 *
 * @throws Fault ProductNotFound, InvalidParameter, IncorrectState without a card on file, MissingParameter when terms were
 * not accepted, Conflict when price or charge changed since the page was drawn, DebtOutstanding, IdempotencyMismatch when
 * the nonce placed an order of another product
 */
export async function placeOrder(tx: Transaction, request: OrderRequest): Promise<PlacedOrder> {
  const { accountId, nonce } = request
  if (!/^[\w-]{16,128}$/.test(nonce)) {
    throw new Fault('InvalidParameter', 'The order page is incomplete; open the purchase URL again.')
  }
  const before = await placedBefore(tx, request)
  if (before !== undefined) return before
  const quote = await orderQuote(tx, request)
  if (quote.liveSubscription !== undefined) return await confirm(tx, quote.liveSubscription, quote.product, true)
  const { paymentMethodId } = checkAgreement(tx, request, quote)

  const { product, price, oneTime, firstMonth, currency } = quote
  const { subscription, opened } = await openSubscription(tx, { accountId, product })
  if (!opened) return await confirm(tx, subscription, product, true)
  const { subscriptionId } = subscription
  const written = await insertOrder(tx, {
    accountId,
    orderId: newUuid(),
    nonce,
    productCode: product.productCode,
    subscriptionId,
    priceVersion: price.version,
    oneTime,
    firstMonth,
    currency,
    ...(product.terms === undefined ? {} : { termsSha256: sha256Hex(product.terms) }),
    paymentMethodId,
    placedAt: tx.now,
  })
  if (!written) throw otherOrder()
  await billSignUp(tx, { subscription, price, oneTime, firstMonth })
  await enqueue(tx, 'order.vet', { accountId, subscriptionId })
  await recordAudit(tx, {
    accountId,
    actor: accountId,
    action: 'order.place',
    subject: subscriptionId,
    detail: {
      productCode: product.productCode,
      initialCharge: formatMinor(quote.initialCharge, currency),
      currency,
      priceVersion: price.version,
    },
  })
  return await confirm(tx, subscription, product, false)
}

async function placedBefore(tx: Transaction, request: OrderRequest): Promise<PlacedOrder | undefined> {
  const order = await selectOrderByNonce(tx, request)
  if (order === undefined) return undefined
  const product = await requireProduct(tx, order.productCode)
  if (product.offeringCode !== request.offeringCode) throw otherOrder()
  const subscription = await findSubscription(tx, order)
  if (subscription === undefined) throw new Error(`order ${order.orderId} has no subscription`)
  return await confirm(tx, subscription, product, true)
}

/** What the buyer saw and has must be what is in force. */
function checkAgreement(tx: Transaction, request: OrderRequest, quote: OrderQuote): { paymentMethodId: string } {
  const { product, price, currency, initialCharge } = quote
  if (quote.debt.length > 0) {
    const billingUrl = `${publicUrlOf(tx.config)}/billing`
    throw new Fault(
      'DebtOutstanding',
      `You owe ${quote.debt.map(displayAmount).join(' and ')} of earlier bills. Pay them at ${billingUrl}, then order again.`,
      { data: { billingUrl } },
    )
  }
  if (quote.card === undefined) {
    throw new Fault('IncorrectState', 'There is no card on file to charge; add one, then place the order.')
  }
  if (product.terms !== undefined && !request.termsAccepted) {
    throw new Fault('MissingParameter', `Accept the seller’s terms to order ${product.name}.`, {
      data: { parameter: 'termsAccepted' },
    })
  }
  const otherVersion = request.agreedPriceVersion !== undefined && request.agreedPriceVersion !== price.version
  if (otherVersion || request.agreedInitialCharge !== initialCharge) {
    const agreed = displayAmount({ minor: request.agreedInitialCharge, currency })
    const now = displayAmount({ minor: initialCharge, currency })
    throw new Fault(
      'Conflict',
      `The price has changed since you opened the page: the initial charge you saw is ${agreed}, it is ${now} now. Nothing was ordered; look at the new price and order again.`,
      { data: { initialCharge: formatMinor(initialCharge, currency), priceVersion: String(price.version) } },
    )
  }
  return quote.card
}

async function confirm(
  tx: Transaction,
  subscription: Subscription,
  product: Product,
  repeated: boolean,
): Promise<PlacedOrder> {
  const { productCode } = product
  const activationKey = isLive(subscription) ? await makeActivationKey(tx, subscription) : undefined
  return {
    subscription,
    product,
    activationKey,
    redirectUrl: activationKey && redirectUrl(product.redirectUrl, { activationKey, productCode }),
    repeated,
  }
}

function otherOrder(): Fault {
  return new Fault(
    'IdempotencyMismatch',
    'This order page was already used for an order of another product; open the purchase URL again.',
  )
}
