/** The SQL behind a seller's pages: sums over bills and transfers, never a copy of them. */
import type { Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'
import { empty, sql, type Transaction } from '../database/database.ts'
import type { LedgerAccount, TransferKind } from '../ledger/ledger.ts'

export interface SellerProductRow {
  readonly productCode: string
  readonly name: string
  readonly currency: Currency
}

export async function selectSellerProducts(tx: Transaction, sellerAccountId: string): Promise<SellerProductRow[]> {
  return await tx.rows<SellerProductRow>(sql`
    select product_code as "productCode", name, currency from product
    where seller_account_id = ${sellerAccountId} order by name, product_code`)
}

export interface BilledRow {
  readonly productCode: string
  readonly kind: 'one-time' | 'monthly' | 'usage'
  readonly dimension: string | null
  readonly quantity: bigint
  readonly amount: bigint
  readonly cost: bigint
}

/** What was billed of a month, by product and dimension, on bills that stand. */
export async function selectBilled(tx: Transaction, sellerAccountId: string, month: Month): Promise<BilledRow[]> {
  return await tx.rows<BilledRow>(sql`
    select line.product_code as "productCode", line.kind, line.dimension, sum(line.quantity)::bigint as quantity,
      sum(line.amount)::bigint as amount, sum(line.cost)::bigint as cost
    from invoice_line line join invoice using (account_id, invoice_id)
    where line.seller_account_id = ${sellerAccountId} and line.month = ${month} and invoice.state <> 'void'
    group by 1, 2, 3 order by 1, 2, 3`)
}

export interface KindRow {
  readonly productCode: string
  readonly currency: Currency
  readonly kind: TransferKind
  /** Minor units; what was given back taken off. */
  readonly amount: bigint
  readonly count: number
}

/** What moved for a month, by product and kind. */
export async function selectMoved(tx: Transaction, sellerAccountId: string, month: Month): Promise<KindRow[]> {
  return await tx.rows<KindRow>(sql`
    select product_code as "productCode", currency, kind,
      sum(case when kind in ('cloud-cost', 'percentage-fee') and credit = 'seller-balance' then -amount else amount end)::bigint
        as amount,
      count(*)::integer as count
    from transfer
    where seller_account_id = ${sellerAccountId} and month = ${month} and product_code is not null
    group by 1, 2, 3`)
}

export interface TransactionRow {
  readonly transferId: string
  readonly at: Date
  readonly kind: TransferKind
  readonly debit: LedgerAccount
  readonly credit: LedgerAccount
  readonly currency: Currency
  /** Minor units; negative when it lessened the balance. */
  readonly amount: bigint
  readonly buyerAccountId: string | null
  readonly productCode: string | null
  readonly month: Month | null
  readonly invoiceId: string | null
  readonly reference: string
}

export async function selectTransactions(
  tx: Transaction,
  of: {
    sellerAccountId: string
    month: Month | undefined
    before: { at: Date; transferId: string } | undefined
    limit: number
  },
): Promise<TransactionRow[]> {
  const { before } = of
  return await tx.rows<TransactionRow>(sql`
    select transfer_id as "transferId", at, kind, debit, credit, currency,
      case when credit = 'seller-balance' then amount else -amount end as amount,
      case when kind in ('payout', 'payout-reversed') then null else account_id end as "buyerAccountId",
      product_code as "productCode", month, invoice_id as "invoiceId", reference
    from transfer
    where seller_account_id = ${of.sellerAccountId} and 'seller-balance' in (debit, credit)
      ${of.month === undefined ? empty : sql`and month = ${of.month}`}
      ${before === undefined ? empty : sql`and (at, transfer_id) < (${before.at}::timestamptz, ${before.transferId}::uuid)`}
    order by at desc, transfer_id desc limit ${of.limit}`)
}
