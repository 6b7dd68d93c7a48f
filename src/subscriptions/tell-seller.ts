/** Mails to sellers about their subscribers (spec §6, §12). They name the buyer's account number and nothing private. */
import { publicUrlOf } from '../base/config.ts'
import type { Transaction } from '../database/database.ts'
import { writeMail } from '../notices/write-mail.ts'
import { requireProduct } from '../products/find-product.ts'
import type { Product } from '../products/products.ts'
import type { EndReason, Subscription } from './subscriptions.ts'

export async function tellSellerOfSubscriber(tx: Transaction, subscription: Subscription): Promise<void> {
  const product = await requireProduct(tx, subscription.productCode)
  await write(tx, product, {
    reference: `subscription/${subscription.subscriptionId}/seller/active`,
    kind: 'subscriber-new',
    subject: `${product.name}: a new subscriber`,
    paragraphs: [`Account ${subscription.accountId} has subscribed to your product ${product.name}.`],
    subscription,
  })
}

const causes: Readonly<Record<EndReason, string>> = {
  'cancelled-by-buyer': 'The subscriber cancelled.',
  'cancelled-by-operator': 'The operator of the service cancelled it.',
  'non-payment': 'The subscriber’s bill could not be collected; every attempt failed.',
  'payment-refused': 'The initial charge was refused.',
}

export async function tellSellerOfEnd(tx: Transaction, subscription: Subscription, product: Product): Promise<void> {
  await write(tx, product, {
    reference: `subscription/${subscription.subscriptionId}/seller/ended`,
    kind: 'subscriber-ended',
    subject: `${product.name}: a subscription has ended`,
    paragraphs: [
      `The subscription of account ${subscription.accountId} to your product ${product.name} has ended. ${causes[subscription.endReason ?? 'cancelled-by-buyer']}`,
      'New launches are refused from now on.',
    ],
    subscription,
  })
}

async function write(
  tx: Transaction,
  product: Product,
  mail: { reference: string; kind: string; subject: string; paragraphs: string[]; subscription: Subscription },
): Promise<void> {
  const { subscription, ...rest } = mail
  await writeMail(tx, {
    ...rest,
    accountId: product.sellerAccountId,
    recipient: product.privateContactEmail,
    table: [
      ['Product', `${product.name} (${product.productCode})`],
      ['Subscriber', subscription.accountId],
      ['Subscribed since', subscription.createdAt.toISOString()],
    ],
    action: { label: 'See your activity', url: `${publicUrlOf(tx.config)}/seller` },
  })
}
