/** Buyers with cards at the payment sandbox, and their orders, for tests; everything by the real verbs and the real SDK. */
import { randomUUID } from 'node:crypto'
import type { Database } from '../src/database/database.ts'
import { orderQuote } from '../src/orders/order-quote.ts'
import { placeOrder, type OrderRequest, type PlacedOrder } from '../src/orders/place-order.ts'
import { vetOrder } from '../src/orders/vet-order.ts'
import type { Processor } from '../src/payments/processor.ts'
import { finishCard, startCard } from '../src/payments/save-card.ts'
import { createStripeProcessor } from '../src/payments/stripe-processor.ts'
import type { Product } from '../src/products/products.ts'
import { createSandbox } from '../src/sandbox/serve-sandbox.ts'
import type { Subscription } from '../src/subscriptions/subscriptions.ts'
import type { TestDatabase } from './database.ts'
import { newAccount } from './products.ts'

export const goodCard = '4242424242424242'
/** Can be saved; every charge of it is declined. */
export const decliningCard = '4000000000000341'

export interface Till {
  readonly processor: Processor
  close(): Promise<void>
}

/** The sandbox on a free port, and the processor that talks to it. */
export async function openTill(house: TestDatabase): Promise<Till> {
  const sandbox = createSandbox({ database: house.database, log: house.log, webhookUrl: () => undefined })
  const { url } = await sandbox.listen(0)
  const { secretKey, webhookSecret } = sandbox
  return { processor: createStripeProcessor({ secretKey, webhookSecret, url }), close: () => sandbox.close() }
}

/** Enters a card on the processor's own page, as the buyer's browser does. */
export async function enterCard(
  database: Database,
  processor: Processor,
  accountId: string,
  number = goodCard,
): Promise<void> {
  const { url } = await startCard(database, processor, {
    accountId,
    returnUrl: 'http://turnpike.example/back?session={CHECKOUT_SESSION_ID}',
    cancelUrl: 'http://turnpike.example/cancel',
  })
  const body = new URLSearchParams({ number, expires: '12 / 30', cvc: '123' })
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual' })
  const back = new URL(response.headers.get('location') ?? '')
  await finishCard(database, processor, { accountId, sessionId: back.searchParams.get('session') ?? '' })
}

/** An account with a card on file. */
export async function newBuyer(database: Database, processor: Processor, number = goodCard): Promise<string> {
  const accountId = await newAccount(database, 'Buyer')
  await enterCard(database, processor, accountId, number)
  return accountId
}

/** An order page as drawn now: what its button sends. */
export async function drawOrder(
  database: Database,
  accountId: string,
  { offeringCode }: Pick<Product, 'offeringCode'>,
): Promise<OrderRequest> {
  const quote = await database.read((tx) => orderQuote(tx, { accountId, offeringCode }))
  return {
    accountId,
    offeringCode,
    nonce: randomUUID(),
    agreedInitialCharge: quote.initialCharge,
    agreedPriceVersion: quote.price.version,
    termsAccepted: true,
  }
}

export async function order(database: Database, accountId: string, product: Product): Promise<PlacedOrder> {
  const request = await drawOrder(database, accountId, product)
  return await database.transaction((tx) => placeOrder(tx, request))
}

/** Orders and vets. */
export async function buy(
  database: Database,
  processor: Processor,
  accountId: string,
  product: Product,
): Promise<Subscription> {
  const { subscription } = await order(database, accountId, product)
  const vetting = await vetOrder(database, processor, subscription)
  if (vetting !== 'active') throw new Error(`the order came to ${vetting}`)
  return subscription
}
