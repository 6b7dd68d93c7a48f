/**
 * Facts for tests of the books: products, subscriptions and runs, written as their rooms write them, without the pages and
 * machines around them.
 */
import { newAccountId, newEc2Id, newProductCode, newUuid } from '../src/base/ids.ts'
import type { Currency } from '../src/base/money.ts'
import { parseAmount, parseRate } from '../src/base/money.ts'
import { prorateFrom } from '../src/base/period.ts'
import { sql, type Database, type Transaction } from '../src/database/database.ts'
import { billSignUp } from '../src/invoices/bill-sign-up.ts'
import { listInvoices } from '../src/invoices/find-invoice.ts'
import type { Invoice } from '../src/invoices/invoices.ts'
import type { Outcome } from '../src/payments/payments.ts'
import { settleAttempt } from '../src/payments/settle-attempt.ts'
import { startAttempt } from '../src/payments/start-attempt.ts'
import { instanceHours } from '../src/products/dimension.ts'
import { priceInForce } from '../src/products/price-in-force.ts'

const region = 'us-east-1'
const environment = 'linux'

/** `InstanceHours:us-east-1:linux:<instanceType>` */
export function hoursOf(instanceType: string): string {
  return instanceHours({ region, environment, instanceType })
}

export interface TestProduct {
  readonly productCode: string
  readonly sellerAccountId: string
  readonly currency: Currency
  readonly oneTime: bigint
  readonly monthly: bigint
}

/** A cloud whose hours cost what is given, from an instant on. */
export async function writeRateCard(
  tx: Transaction,
  card: { version?: number; effectiveAt?: Date; currency?: Currency; rates: Record<string, string> },
): Promise<void> {
  const version = card.version ?? 1
  await tx.run(sql`
    insert into rate_card (rate_card_version, sha256, name, currency, effective_at, catalog, loaded_at)
    values (${version}, ${newUuid()}, 'test', ${card.currency ?? 'USD'},
      ${card.effectiveAt ?? new Date('2000-01-01T00:00:00Z')}, '{}', ${tx.now})`)
  for (const [instanceType, rate] of Object.entries(card.rates)) {
    await tx.run(sql`
      insert into rate_card_rate (rate_card_version, dimension, rate_nano)
      values (${version}, ${hoursOf(instanceType)}, ${parseRate(rate)})`)
  }
}

export interface TestPrice {
  readonly oneTime?: string
  readonly monthly?: string
  /** Instance type → rate per hour. */
  readonly rates?: Record<string, string>
}

/** An approved product with its first price, of a new seller unless one is named. */
export async function writeProduct(
  tx: Transaction,
  product: TestPrice & { sellerAccountId?: string; currency?: Currency; bankAccountVerified?: boolean },
): Promise<TestProduct> {
  const sellerAccountId = product.sellerAccountId ?? (await writeAccount(tx))
  const currency = product.currency ?? 'USD'
  const productCode = newProductCode()
  await tx.run(sql`
    insert into seller (seller_account_id, company_name, bank_account_verified, created_at)
    values (${sellerAccountId}, 'Example Company', ${product.bankAccountVerified ?? true}, ${tx.now})
    on conflict do nothing`)
  await tx.run(sql`
    insert into product (product_code, seller_account_id, offering_code, product_token_sealed, product_token_sha256,
      company_name, name, description, redirect_url, private_contact_email, private_contact_telephone, public_contact,
      currency, end_of_access_policy, state, created_at, state_changed_at)
    values (${productCode}, ${sellerAccountId}, ${newProductCode()}, '\\x00', ${newUuid()}, 'Example Company',
      ${`Product ${productCode}`}, 'A product', 'https://example.com/', 'private@example.com', '1', 'public@example.com',
      ${currency}, 'stop', 'approved', ${tx.now}, ${tx.now})`)
  const written = { productCode, sellerAccountId, currency, oneTime: 0n, monthly: 0n }
  return { ...written, ...(await writePrice(tx, written, { ...product, effectiveAt: tx.now })) }
}

/** A product's next price version. */
export async function writePrice(
  tx: Transaction,
  product: Pick<TestProduct, 'productCode' | 'currency'>,
  price: TestPrice & { version?: number; effectiveAt: Date },
): Promise<{ oneTime: bigint; monthly: bigint }> {
  const version = price.version ?? 1
  const oneTime = parseAmount(price.oneTime ?? '0', product.currency).minor
  const monthly = parseAmount(price.monthly ?? '0', product.currency).minor
  await tx.run(sql`
    insert into price_version (product_code, version, effective_at, one_time, monthly, created_at)
    values (${product.productCode}, ${version}, ${price.effectiveAt}, ${oneTime}, ${monthly}, ${tx.now})`)
  for (const [instanceType, rate] of Object.entries(price.rates ?? {})) {
    await tx.run(sql`
      insert into price_rate (product_code, version, dimension, rate_nano)
      values (${product.productCode}, ${version}, ${hoursOf(instanceType)}, ${parseRate(rate)})`)
  }
  return { oneTime, monthly }
}

export async function writeAccount(tx: Transaction): Promise<string> {
  const accountId = newAccountId()
  await tx.run(sql`
    insert into account (account_id, name, email, email_verified, created_at)
    values (${accountId}, 'Someone', ${`${accountId}@example.com`}, true, ${tx.now})`)
  return accountId
}

export interface TestSubscription {
  readonly accountId: string
  readonly subscriptionId: string
  readonly product: TestProduct
  readonly bill: Invoice | undefined
}

/** An order that was placed at the transaction's instant: the subscription and its sign-up bill, both as given. */
export async function signUp(
  tx: Transaction,
  product: TestProduct,
  of: { accountId?: string; state?: 'pending' | 'active' } = {},
): Promise<TestSubscription> {
  const accountId = of.accountId ?? (await writeAccount(tx))
  const subscriptionId = newUuid()
  const state = of.state ?? 'active'
  await tx.run(sql`
    insert into subscription (account_id, subscription_id, product_code, seller_account_id, state, created_at, activated_at)
    values (${accountId}, ${subscriptionId}, ${product.productCode}, ${product.sellerAccountId}, ${state}, ${tx.now},
      ${state === 'active' ? tx.now : null})`)
  const price = await priceInForce(tx, product.productCode, tx.now)
  const bill = await billSignUp(tx, {
    subscription: { accountId, subscriptionId, ...product, createdAt: tx.now },
    price,
    oneTime: price.oneTime,
    firstMonth: prorateFrom(price.monthly, tx.now),
  })
  return { accountId, subscriptionId, product, bill }
}

/** The subscription ends at the transaction's instant. */
export async function cancel(tx: Transaction, subscription: TestSubscription): Promise<void> {
  await tx.run(sql`
    update subscription set state = 'cancelled', end_reason = 'cancelled-by-buyer', ended_at = ${tx.now}
    where account_id = ${subscription.accountId} and subscription_id = ${subscription.subscriptionId}`)
}

/** An instance that ran, or still runs. */
export async function writeRun(
  tx: Transaction,
  subscription: Pick<TestSubscription, 'accountId' | 'subscriptionId'> & { product: { productCode: string } },
  run: { instanceType: string; startedAt: Date; endedAt?: Date | undefined },
): Promise<{ instanceId: string }> {
  const instanceId = newEc2Id('i')
  const reservationId = newEc2Id('r')
  const { accountId, subscriptionId } = subscription
  const { productCode } = subscription.product
  await tx.run(sql`
    insert into reservation (account_id, reservation_id, created_at) values (${accountId}, ${reservationId}, ${run.startedAt})`)
  await tx.run(sql`
    insert into instance (account_id, instance_id, reservation_id, launch_index, image_id, product_code, subscription_id,
      region, availability_zone, environment, instance_type, architecture, private_ip, state, sequence, launched_at,
      state_changed_at)
    values (${accountId}, ${instanceId}, ${reservationId}, 0, 'ami-00000000', ${productCode}, ${subscriptionId}, ${region},
      ${`${region}a`}, ${environment}, ${run.instanceType}, 'x86_64', '10.0.0.1',
      ${run.endedAt === undefined ? 'running' : 'terminated'}, 1, ${run.startedAt}, ${run.endedAt ?? run.startedAt})`)
  await tx.run(sql`
    insert into instance_run (account_id, instance_id, run_number, product_code, subscription_id, region, environment,
      instance_type, started_at, ended_at)
    values (${accountId}, ${instanceId}, 1, ${productCode}, ${subscriptionId}, ${region}, ${environment},
      ${run.instanceType}, ${run.startedAt}, ${run.endedAt ?? null})`)
  return { instanceId }
}

/** Runs work at an instant of the manual clock. */
export async function at<T>(
  house: { database: Database; setClock(now: Date): Promise<void> },
  instant: string | Date,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  await house.setClock(new Date(instant))
  return await house.database.transaction(work)
}

/** Collects a bill as its payment room does, the processor's answer given. */
export async function collect(
  tx: Transaction,
  bill: { accountId: string; invoiceId: string },
  answer: 'succeeded' | 'failed' = 'succeeded',
): Promise<void> {
  const attempt = await startAttempt(tx, bill)
  if (attempt === undefined) throw new Error(`nothing is to be collected of ${bill.invoiceId}`)
  const outcome: Outcome =
    answer === 'succeeded'
      ? { state: 'succeeded', paymentId: `pi_${attempt.invoiceId}_${attempt.attemptNumber}` }
      : { state: 'failed', code: 'card_declined', message: 'The card was declined.' }
  await settleAttempt(tx, attempt, outcome)
}

/** Collects every open bill of an account. */
export async function collectAll(tx: Transaction, accountId: string): Promise<void> {
  for (const bill of await listInvoices(tx, { accountId })) if (bill.state === 'open') await collect(tx, bill)
}
