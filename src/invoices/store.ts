/** The SQL of invoices and their lines. The closing of months has its own in `close-store.ts`. */
import type { Month } from '../base/period.ts'
import { empty, sql, type Transaction } from '../database/database.ts'
import type { Invoice, InvoiceLine, InvoiceState } from './invoices.ts'

const invoiceColumns = sql`
  account_id as "accountId", invoice_id as "invoiceId", kind, month, subscription_id as "subscriptionId", currency, total,
  amount_due as "amountDue", state, carried_into as "carriedInto", issued_at as "issuedAt", paid_at as "paidAt",
  attempt_due_at as "attemptDueAt"`

const lineColumns = sql`
  invoice_id as "invoiceId", line_number as "lineNumber", subscription_id as "subscriptionId",
  product_code as "productCode", seller_account_id as "sellerAccountId", kind, dimension, month,
  period_start as "periodStart", period_end as "periodEnd", quantity, price_version as "priceVersion",
  rate_nano as "rateNano", amount, rate_card_version as "rateCardVersion", cost_rate_nano as "costRateNano", cost`

export async function insertInvoices(tx: Transaction, invoices: readonly Invoice[]): Promise<void> {
  if (invoices.length === 0) return
  await tx.run(sql`
    insert into invoice (account_id, invoice_id, kind, month, subscription_id, currency, total, amount_due, state,
      issued_at, paid_at, attempt_due_at)
    select * from unnest(
      ${invoices.map((i) => i.accountId)}::text[], ${invoices.map((i) => i.invoiceId)}::uuid[],
      ${invoices.map((i) => i.kind)}::text[], ${invoices.map((i) => i.month)}::text[],
      ${invoices.map((i) => i.subscriptionId)}::uuid[], ${invoices.map((i) => i.currency)}::text[],
      ${invoices.map((i) => i.total)}::bigint[], ${invoices.map((i) => i.amountDue)}::bigint[],
      ${invoices.map((i) => i.state)}::text[], ${invoices.map((i) => i.issuedAt)}::timestamptz[],
      ${invoices.map((i) => i.paidAt)}::timestamptz[], ${invoices.map((i) => i.attemptDueAt)}::timestamptz[])`)
}

/** A line with the account its invoice belongs to. */
export type AccountLine = InvoiceLine & { readonly accountId: string }

export async function insertLines(tx: Transaction, lines: readonly AccountLine[]): Promise<void> {
  if (lines.length === 0) return
  await tx.run(sql`
    insert into invoice_line (account_id, invoice_id, line_number, subscription_id, product_code, seller_account_id, kind,
      dimension, month, period_start, period_end, quantity, price_version, rate_nano, amount, rate_card_version,
      cost_rate_nano, cost)
    select * from unnest(
      ${lines.map((l) => l.accountId)}::text[], ${lines.map((l) => l.invoiceId)}::uuid[],
      ${lines.map((l) => l.lineNumber)}::integer[], ${lines.map((l) => l.subscriptionId)}::uuid[],
      ${lines.map((l) => l.productCode)}::text[], ${lines.map((l) => l.sellerAccountId)}::text[],
      ${lines.map((l) => l.kind)}::text[], ${lines.map((l) => l.dimension)}::text[], ${lines.map((l) => l.month)}::text[],
      ${lines.map((l) => l.periodStart)}::timestamptz[], ${lines.map((l) => l.periodEnd)}::timestamptz[],
      ${lines.map((l) => l.quantity)}::bigint[], ${lines.map((l) => l.priceVersion)}::integer[],
      ${lines.map((l) => l.rateNano)}::bigint[], ${lines.map((l) => l.amount)}::bigint[],
      ${lines.map((l) => l.rateCardVersion)}::integer[], ${lines.map((l) => l.costRateNano)}::bigint[],
      ${lines.map((l) => l.cost)}::bigint[])`)
}

export async function selectInvoice(
  tx: Transaction,
  of: { accountId: string; invoiceId: string },
): Promise<Invoice | undefined> {
  return await tx.first<Invoice>(sql`
    select ${invoiceColumns} from invoice where account_id = ${of.accountId} and invoice_id = ${of.invoiceId}`)
}

export async function selectSignUpInvoice(
  tx: Transaction,
  of: { accountId: string; subscriptionId: string },
): Promise<Invoice | undefined> {
  return await tx.first<Invoice>(sql`
    select ${invoiceColumns} from invoice
    where account_id = ${of.accountId} and subscription_id = ${of.subscriptionId} and kind = 'sign-up'`)
}

/** Newest first; `before` is the last invoice of the page before. */
export async function selectInvoices(
  tx: Transaction,
  of: { accountId: string; month?: Month; before?: { issuedAt: Date; invoiceId: string }; limit: number },
): Promise<Invoice[]> {
  return await tx.rows<Invoice>(sql`
    select ${invoiceColumns} from invoice
    where account_id = ${of.accountId}
      ${of.month === undefined ? empty : sql`and month = ${of.month}`}
      ${
        of.before === undefined
          ? empty
          : sql`and (issued_at, invoice_id) < (${of.before.issuedAt}::timestamptz, ${of.before.invoiceId}::uuid)`
      }
    order by issued_at desc, invoice_id desc limit ${of.limit}`)
}

export async function selectLines(
  tx: Transaction,
  of: { accountId: string; invoiceId: string },
): Promise<InvoiceLine[]> {
  return await tx.rows<InvoiceLine>(sql`
    select ${lineColumns} from invoice_line
    where account_id = ${of.accountId} and invoice_id = ${of.invoiceId} order by line_number`)
}

/** Lines whose revenue belongs to a month, on bills that stand, in the order they were billed. */
export async function selectLinesOfMonth(
  tx: Transaction,
  of: { accountId: string; month: Month },
): Promise<(InvoiceLine & { currency: Invoice['currency'] })[]> {
  return await tx.rows(sql`
    select ${lineColumns}, currency from invoice_line
    join (select account_id, invoice_id, currency, issued_at from invoice
           where account_id = ${of.accountId} and state <> 'void') as bill using (account_id, invoice_id)
    where account_id = ${of.accountId} and month = ${of.month}
    order by issued_at, invoice_id, line_number`)
}

/** The bills carried into one. */
export async function selectCarriedInto(
  tx: Transaction,
  of: { accountId: string; invoiceId: string },
): Promise<Invoice[]> {
  return await tx.rows<Invoice>(sql`
    select ${invoiceColumns} from invoice
    where account_id = ${of.accountId} and carried_into = ${of.invoiceId} order by issued_at, invoice_id`)
}

/** A refused sign-up's bill → void. False when it is not one that may be voided (any more). */
export async function markVoid(tx: Transaction, of: { accountId: string; invoiceId: string }): Promise<boolean> {
  const written = await tx.run(sql`
    update invoice set state = 'void', attempt_due_at = null
    where account_id = ${of.accountId} and invoice_id = ${of.invoiceId} and kind = 'sign-up'
      and (state in ('open', 'unpaid') or (state = 'carried' and carried_into is null))`)
  return written === 1
}

/** Whether money for this bill is on its way: an attempt whose end is not known. */
export async function hasStartedAttempt(
  tx: Transaction,
  of: { accountId: string; invoiceId: string },
): Promise<boolean> {
  const row = await tx.first(sql`
    select 1 from payment_attempt
    where account_id = ${of.accountId} and invoice_id = ${of.invoiceId} and state = 'started'`)
  return row !== undefined
}

/** A subscription's monthly charge for a month. */
export interface MonthlyCharge {
  readonly invoiceId: string
  readonly lineNumber: number
  readonly amount: bigint
  readonly currency: Invoice['currency']
  readonly priceVersion: number
  readonly invoiceState: InvoiceState
  readonly periodStart: Date
  readonly periodEnd: Date
}

/** The charge with its invoice locked: until the transaction ends nobody pays, voids or carries it. */
export async function lockMonthlyCharge(
  tx: Transaction,
  of: { accountId: string; subscriptionId: string; month: Month },
): Promise<MonthlyCharge | undefined> {
  return await tx.first<MonthlyCharge>(sql`
    select i.invoice_id as "invoiceId", l.line_number as "lineNumber", l.amount, i.currency,
      l.price_version as "priceVersion", i.state as "invoiceState", l.period_start as "periodStart",
      l.period_end as "periodEnd"
    from invoice_line l join invoice i using (account_id, invoice_id)
    where l.account_id = ${of.accountId} and l.subscription_id = ${of.subscriptionId} and l.month = ${of.month}
      and l.kind = 'monthly'
    for update of i`)
}
