/** The SQL of settlement: what is due, the figures of many (buyer, product, month) at once, and their steps. */
import type { Currency } from '../base/money.ts'
import { sql, type Transaction } from '../database/database.ts'
import type { SettlementSubject } from '../ledger/plan-settlement.ts'

export async function selectEarliestDue(tx: Transaction): Promise<Date | undefined> {
  const { at } = await tx.one<{ at: Date | null }>(sql`select min(due_at) as at from settlement_due`)
  return at ?? undefined
}

/**
 * Takes a page of what is due. Whoever plans one of these again waits for this transaction, and what it then plans is
 * settled later; so a plan is taken before its figures are read.
 */
export async function takeDue(tx: Transaction, limit: number): Promise<SettlementSubject[]> {
  return await tx.rows<SettlementSubject>(sql`
    with due as (
      select account_id, product_code, month from settlement_due
      where due_at <= ${tx.now} order by due_at limit ${limit} for update skip locked
    )
    delete from settlement_due using due
    where settlement_due.account_id = due.account_id and settlement_due.product_code = due.product_code
      and settlement_due.month = due.month
    returning settlement_due.account_id as "accountId", settlement_due.product_code as "productCode", settlement_due.month`)
}

export async function deleteDue(tx: Transaction, subject: SettlementSubject): Promise<void> {
  await tx.run(sql`
    delete from settlement_due
    where account_id = ${subject.accountId} and product_code = ${subject.productCode} and month = ${subject.month}`)
}

/** The figures of a subject now, and its last step. */
export interface FiguresRow extends SettlementSubject {
  readonly sellerAccountId: string
  readonly currency: Currency
  readonly billed: bigint
  readonly cost: bigint
  readonly deposited: bigint
  readonly refunded: bigint
  /** 0 before the first. */
  readonly lastStep: number
  readonly lastRevenue: bigint
  readonly lastCost: bigint
  readonly lastCollected: bigint
  readonly costCharged: bigint
  readonly feeCharged: bigint
  /** Of the last step. */
  readonly percentageFee: bigint | null
}

export async function selectFigures(tx: Transaction, subjects: readonly SettlementSubject[]): Promise<FiguresRow[]> {
  return await tx.rows<FiguresRow>(sql`
    select subject.account_id as "accountId", subject.product_code as "productCode", subject.month,
      product.seller_account_id as "sellerAccountId", product.currency,
      line.billed, line.cost, money.deposited, money.refunded,
      coalesce(last.step, 0) as "lastStep", coalesce(last.revenue, 0) as "lastRevenue",
      coalesce(last.cost, 0) as "lastCost", coalesce(last.collected, 0) as "lastCollected",
      coalesce(last.cost_charged, 0) as "costCharged", coalesce(last.fee_charged, 0) as "feeCharged",
      last.percentage_fee as "percentageFee"
    from unnest(${subjects.map((s) => s.accountId)}::text[], ${subjects.map((s) => s.productCode)}::text[],
                ${subjects.map((s) => s.month)}::text[]) as subject (account_id, product_code, month)
    join product on product.product_code = subject.product_code
    cross join lateral (
      select coalesce(sum(invoice_line.amount), 0)::bigint as billed, coalesce(sum(invoice_line.cost), 0)::bigint as cost
      from invoice_line join invoice using (account_id, invoice_id)
      where invoice_line.account_id = subject.account_id and invoice_line.product_code = subject.product_code
        and invoice_line.month = subject.month and invoice.state <> 'void'
    ) as line
    cross join lateral (
      select coalesce(sum(amount) filter (where kind = 'deposited'), 0)::bigint as deposited,
        coalesce(sum(amount) filter (where kind = 'refunded'), 0)::bigint as refunded
      from transfer
      where account_id = subject.account_id and product_code = subject.product_code and month = subject.month
        and kind in ('deposited', 'refunded')
    ) as money
    left join lateral (
      select step, revenue, cost, collected, cost_charged, fee_charged, percentage_fee from settlement_step
      where account_id = subject.account_id and product_code = subject.product_code and month = subject.month
      order by step desc limit 1
    ) as last on true`)
}

export interface StepRow extends SettlementSubject {
  readonly step: number
  readonly sellerAccountId: string
  readonly currency: Currency
  readonly revenue: bigint
  readonly cost: bigint
  readonly collected: bigint
  readonly costCharged: bigint
  readonly feeCharged: bigint
  /** Basis points. */
  readonly percentageFee: bigint
}

export async function insertSteps(tx: Transaction, steps: readonly StepRow[]): Promise<void> {
  if (steps.length === 0) return
  await tx.run(sql`
    insert into settlement_step (account_id, product_code, month, step, seller_account_id, currency, revenue, cost,
      collected, cost_charged, fee_charged, percentage_fee, at)
    select *, ${tx.now}::timestamptz from unnest(
      ${steps.map((s) => s.accountId)}::text[], ${steps.map((s) => s.productCode)}::text[],
      ${steps.map((s) => s.month)}::text[], ${steps.map((s) => s.step)}::integer[],
      ${steps.map((s) => s.sellerAccountId)}::text[], ${steps.map((s) => s.currency)}::text[],
      ${steps.map((s) => s.revenue)}::bigint[], ${steps.map((s) => s.cost)}::bigint[],
      ${steps.map((s) => s.collected)}::bigint[], ${steps.map((s) => s.costCharged)}::bigint[],
      ${steps.map((s) => s.feeCharged)}::bigint[], ${steps.map((s) => s.percentageFee)}::bigint[])`)
}

/** The steps of a (buyer, product, month), in order: what a question about a charge is answered with. */
export async function selectSteps(tx: Transaction, subject: SettlementSubject): Promise<(StepRow & { at: Date })[]> {
  return await tx.rows(sql`
    select account_id as "accountId", product_code as "productCode", month, step, seller_account_id as "sellerAccountId",
      currency, revenue, cost, collected, cost_charged as "costCharged", fee_charged as "feeCharged",
      percentage_fee as "percentageFee", at
    from settlement_step
    where account_id = ${subject.accountId} and product_code = ${subject.productCode} and month = ${subject.month}
    order by step`)
}
