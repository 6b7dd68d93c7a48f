/** The rows of orders. */
import type { Currency } from '../base/money.ts'
import { sql, type Sql, type Transaction } from '../database/database.ts'
import type { Order } from './orders.ts'

interface OrderRow {
  account_id: string
  order_id: string
  nonce: string
  product_code: string
  subscription_id: string
  price_version: number
  one_time: bigint
  first_month: bigint
  currency: Currency
  terms_sha256: string | null
  payment_method_id: string
  placed_at: Date
}

/** False when the nonce was used by another order. */
export async function insertOrder(tx: Transaction, order: Order): Promise<boolean> {
  const written = await tx.run(sql`
    insert into purchase_order (account_id, order_id, nonce, product_code, subscription_id, price_version, one_time,
        first_month, currency, terms_sha256, payment_method_id, placed_at)
      values (${order.accountId}, ${order.orderId}, ${order.nonce}, ${order.productCode}, ${order.subscriptionId},
        ${order.priceVersion}, ${order.oneTime}, ${order.firstMonth}, ${order.currency}, ${order.termsSha256 ?? null},
        ${order.paymentMethodId}, ${order.placedAt})
      on conflict (account_id, nonce) do nothing`)
  return written === 1
}

export async function selectOrderByNonce(
  tx: Transaction,
  of: { accountId: string; nonce: string },
): Promise<Order | undefined> {
  return await selectOrder(tx, sql`account_id = ${of.accountId} and nonce = ${of.nonce}`)
}

export async function selectOrderOf(
  tx: Transaction,
  of: { accountId: string; subscriptionId: string },
): Promise<Order | undefined> {
  return await selectOrder(tx, sql`account_id = ${of.accountId} and subscription_id = ${of.subscriptionId}`)
}

async function selectOrder(tx: Transaction, condition: Sql): Promise<Order | undefined> {
  const row = await tx.first<OrderRow>(sql`
    select account_id, order_id, nonce, product_code, subscription_id, price_version, one_time, first_month, currency,
           terms_sha256, payment_method_id, placed_at
      from purchase_order where ${condition}`)
  if (row === undefined) return undefined
  return {
    accountId: row.account_id,
    orderId: row.order_id,
    nonce: row.nonce,
    productCode: row.product_code,
    subscriptionId: row.subscription_id,
    priceVersion: row.price_version,
    oneTime: row.one_time,
    firstMonth: row.first_month,
    currency: row.currency,
    ...(row.terms_sha256 === null ? {} : { termsSha256: row.terms_sha256 }),
    paymentMethodId: row.payment_method_id,
    placedAt: row.placed_at,
  }
}
