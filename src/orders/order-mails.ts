/** What buyers are told of their orders (spec §4). Sellers hear of subscribers from the subscriptions room. */
import { requireAccount } from '../accounts/find-account.ts'
import { publicUrlOf } from '../base/config.ts'
import { displayAmount, type Amount } from '../base/money.ts'
import type { Transaction } from '../database/database.ts'
import type { Invoice } from '../invoices/invoices.ts'
import { writeMail } from '../notices/write-mail.ts'
import { requireProduct } from '../products/find-product.ts'
import { purchaseUrl, type Product } from '../products/products.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'

/** @param invoice of the sign-up; its amount is told only when it was charged */
export async function mailOrderCompleted(
  tx: Transaction,
  subscription: Subscription,
  invoice: Invoice | undefined,
): Promise<void> {
  const product = await requireProduct(tx, subscription.productCode)
  const charged =
    invoice?.state === 'paid' && invoice.amountDue > 0n
      ? displayAmount({ minor: invoice.amountDue, currency: invoice.currency })
      : undefined
  await write(tx, subscription, {
    event: 'active',
    kind: 'order-completed',
    subject: `Your purchase of ${product.name}`,
    paragraphs: [
      `Thank you. You are subscribed to ${product.name} by ${product.companyName}.`,
      ...(charged === undefined ? [] : [`We charged ${charged} to your card.`]),
      'Your bills, your card, and the way to cancel are on the billing page.',
    ],
    table: [...describe(product), ...(charged === undefined ? [] : [['Charged', charged] as [string, string]])],
    action: { label: 'Open the billing page', url: billingUrl(tx) },
  })
}

/** @param reason the bank's or the processor's sentence */
export async function mailOrderFailed(tx: Transaction, subscription: Subscription, reason: string): Promise<void> {
  const product = await requireProduct(tx, subscription.productCode)
  await write(tx, subscription, {
    event: 'failed',
    kind: 'order-failed',
    subject: `Your purchase of ${product.name} failed`,
    paragraphs: [
      `Your card was refused, so you are not subscribed to ${product.name}, and nothing was charged.`,
      `The reason given: ${reason}`,
      'You can order again with another card.',
    ],
    table: describe(product),
    action: { label: 'Order again', url: purchaseUrl(publicUrlOf(tx.config), product.offeringCode) },
  })
}

/** @param refunded what is given back; undefined when nothing is */
export async function mailCancelled(
  tx: Transaction,
  subscription: Subscription,
  refunded: Amount | undefined,
): Promise<void> {
  const product = await requireProduct(tx, subscription.productCode)
  await write(tx, subscription, {
    event: 'cancelled',
    kind: 'subscription-cancelled',
    subject: `Your subscription to ${product.name} is cancelled`,
    paragraphs: [
      `Your subscription to ${product.name} ended, and you cannot launch it any more.`,
      ...(refunded === undefined
        ? []
        : [`We give back ${displayAmount(refunded)}, the unused part of this month’s charge, to your card.`]),
      'Your use up to now is on your bill of the 1st.',
    ],
    table: describe(product),
    action: { label: 'Open the billing page', url: billingUrl(tx) },
  })
}

/** The unused part of a charge that was collected after the cancellation. */
export async function mailRefunded(tx: Transaction, subscription: Subscription, refunded: Amount): Promise<void> {
  const product = await requireProduct(tx, subscription.productCode)
  await write(tx, subscription, {
    event: 'refunded',
    kind: 'charge-refunded',
    subject: `${displayAmount(refunded)} back for ${product.name}`,
    paragraphs: [
      `A charge for ${product.name} was collected after you cancelled. We give back ${displayAmount(refunded)}, its unused part, to your card.`,
    ],
    table: describe(product),
    action: { label: 'Open the billing page', url: billingUrl(tx) },
  })
}

function describe(product: Product): [string, string][] {
  return [
    ['Product', `${product.name} (${product.productCode})`],
    ['Seller', product.companyName],
    ['Seller’s contact', product.publicContact],
  ]
}

function billingUrl(tx: Transaction): string {
  return `${publicUrlOf(tx.config)}/billing`
}

async function write(
  tx: Transaction,
  subscription: Subscription,
  mail: {
    event: string
    kind: string
    subject: string
    paragraphs: string[]
    table: [string, string][]
    action: { label: string; url: string }
  },
): Promise<void> {
  const { event, ...rest } = mail
  const account = await requireAccount(tx, subscription.accountId)
  await writeMail(tx, {
    ...rest,
    reference: `subscription/${subscription.subscriptionId}/buyer/${event}`,
    accountId: account.accountId,
    recipient: account.email,
  })
}
