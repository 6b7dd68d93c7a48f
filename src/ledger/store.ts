/** The only SQL of the ledger: transfers are inserted and summed, never updated or deleted. */
import type { Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'
import { sql, type Transaction } from '../database/database.ts'
import type { LedgerAccount, TransferKind } from './ledger.ts'
import type { SettlementSubject } from './plan-settlement.ts'

/** A transfer as its row holds it. */
export interface TransferRow {
  readonly accountId: string
  readonly kind: TransferKind
  readonly reference: string
  readonly debit: LedgerAccount
  readonly credit: LedgerAccount
  readonly amount: bigint
  readonly currency: Currency
  readonly sellerAccountId: string | null
  readonly productCode: string | null
  readonly month: Month | null
  readonly invoiceId: string | null
}

/** Inserts what is not there yet, in one statement. @returns how many rows are new */
export async function insertTransfers(tx: Transaction, rows: readonly TransferRow[]): Promise<number> {
  return await tx.run(sql`
    insert into transfer (account_id, transfer_id, kind, reference, debit, credit, amount, currency,
      seller_account_id, product_code, month, invoice_id, at)
    select account_id, gen_random_uuid(), kind, reference, debit, credit, amount, currency,
      seller_account_id, product_code, month, invoice_id, ${tx.now}
    from unnest(
      ${rows.map((row) => row.accountId)}::text[], ${rows.map((row) => row.kind)}::text[],
      ${rows.map((row) => row.reference)}::text[], ${rows.map((row) => row.debit)}::text[],
      ${rows.map((row) => row.credit)}::text[], ${rows.map((row) => row.amount)}::bigint[],
      ${rows.map((row) => row.currency)}::text[], ${rows.map((row) => row.sellerAccountId)}::text[],
      ${rows.map((row) => row.productCode)}::text[], ${rows.map((row) => row.month)}::text[],
      ${rows.map((row) => row.invoiceId)}::uuid[]
    ) as fact (account_id, kind, reference, debit, credit, amount, currency, seller_account_id, product_code, month, invoice_id)
    on conflict (account_id, kind, reference) do nothing`)
}

/** The rows that bear the given keys. */
export async function selectTransfers(
  tx: Transaction,
  keys: readonly { accountId: string; kind: TransferKind; reference: string }[],
): Promise<TransferRow[]> {
  return await tx.rows<TransferRow>(sql`
    select account_id as "accountId", kind, reference, debit, credit, amount, currency,
      seller_account_id as "sellerAccountId", product_code as "productCode", month, invoice_id as "invoiceId"
    from transfer
    where (account_id, kind, reference) in (select * from unnest(${keys.map((key) => key.accountId)}::text[],
      ${keys.map((key) => key.kind)}::text[], ${keys.map((key) => key.reference)}::text[]))`)
}

/** A seller's balances: credits less debits of `seller-balance`, by currency. */
export async function selectSellerBalances(
  tx: Transaction,
  sellerAccountId: string,
): Promise<{ currency: Currency; minor: bigint }[]> {
  return await tx.rows(sql`
    select currency, sum(case when credit = 'seller-balance' then amount else -amount end)::bigint as minor
    from transfer
    where seller_account_id = ${sellerAccountId} and 'seller-balance' in (debit, credit)
    group by currency order by currency`)
}

/** What an account owes: debits less credits of `receivable`, by currency. */
export async function selectReceivable(
  tx: Transaction,
  accountId: string,
): Promise<{ currency: Currency; minor: bigint }[]> {
  return await tx.rows(sql`
    select currency, sum(case when debit = 'receivable' then amount else -amount end)::bigint as minor
    from transfer
    where account_id = ${accountId} and 'receivable' in (debit, credit)
    group by currency order by currency`)
}

/** Plans each subject for an instant, or earlier where it is planned earlier. */
export async function upsertSettlementDue(
  tx: Transaction,
  subjects: readonly SettlementSubject[],
  dueAt: Date,
): Promise<void> {
  // "do update", though it mostly changes nothing: it locks a plan that stands, so that whoever settles it now waits for
  // this transaction and sees what it moved. In key order, so that two transactions wait for each other instead of deadlocking.
  await tx.run(sql`
    insert into settlement_due (account_id, product_code, month, due_at)
    select distinct s.account_id, s.product_code, s.month, ${dueAt}::timestamptz
      from unnest(${subjects.map((s) => s.accountId)}::text[], ${subjects.map((s) => s.productCode)}::text[],
                  ${subjects.map((s) => s.month)}::text[]) as s (account_id, product_code, month)
     order by 1, 2, 3
    on conflict (account_id, product_code, month) do update set due_at = least(settlement_due.due_at, excluded.due_at)`)
}
