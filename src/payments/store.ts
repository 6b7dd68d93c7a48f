/** The SQL of payments: buyers at the processor, attempts, refunds, events, and the payment side of invoices. */
import type { Amount, Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'
import { sql, type Transaction } from '../database/database.ts'
import type { Attempt, InvoiceReference, Outcome } from './payments.ts'
import type { Card } from './processor.ts'

/** An invoice as collecting sees it. */
export interface CollectableInvoice extends InvoiceReference {
  readonly kind: 'sign-up' | 'monthly'
  readonly state: 'open' | 'paid' | 'carried' | 'unpaid' | 'void'
  readonly month: Month
  readonly subscriptionId: string | null
  readonly amountDue: bigint
  readonly currency: Currency
  readonly issuedAt: Date
}

const invoiceColumns = sql`
  account_id as "accountId", invoice_id as "invoiceId", kind, state, month, subscription_id as "subscriptionId",
  amount_due as "amountDue", currency, issued_at as "issuedAt"`

const attemptColumns = sql`
  account_id as "accountId", invoice_id as "invoiceId", attempt_number as "attemptNumber", state, amount, currency,
  payment_method_id as "paymentMethodId", processor_payment_id as "paymentId", failure_code as "failureCode",
  failure_message as "failureMessage", asked_at < now() - interval '12 hours' as "keyMayBeForgotten"`

/** The invoice, locked until the transaction ends: every decision about its money is made under this lock. */
export async function lockInvoice(tx: Transaction, invoice: InvoiceReference): Promise<CollectableInvoice | undefined> {
  return await tx.first<CollectableInvoice>(sql`
    select ${invoiceColumns} from invoice
     where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId} for update`)
}

/** The latest attempt; a started one is always the latest. */
export async function lastAttempt(tx: Transaction, invoice: InvoiceReference): Promise<Attempt | undefined> {
  return await tx.first<Attempt>(sql`
    select ${attemptColumns} from payment_attempt
     where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId}
     order by attempt_number desc limit 1`)
}

/** The capture of an invoice, with the processor's payment it was. */
export async function succeededPayment(
  tx: Transaction,
  invoice: InvoiceReference,
): Promise<{ paymentId: string; amount: bigint } | undefined> {
  return await tx.first(sql`
    select a.processor_payment_id as "paymentId", a.amount
      from invoice i
      join payment_attempt a on a.account_id = i.account_id and a.invoice_id = coalesce(i.carried_into, i.invoice_id)
     where i.account_id = ${invoice.accountId} and i.invoice_id = ${invoice.invoiceId} and a.state = 'succeeded'`)
}

/** Writes a started attempt, numbered after the invoice's last; collection is no longer planned while it runs. */
export async function insertAttempt(
  tx: Transaction,
  invoice: CollectableInvoice,
  paymentMethodId: string,
): Promise<Attempt> {
  await tx.run(sql`
    update invoice set attempt_due_at = null
     where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId}`)
  return await tx.one<Attempt>(sql`
    insert into payment_attempt (account_id, invoice_id, attempt_number, state, amount, currency, payment_method_id, started_at)
    select ${invoice.accountId}, ${invoice.invoiceId},
           coalesce((select max(attempt_number) from payment_attempt
                      where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId}), 0) + 1,
           'started', ${invoice.amountDue}::bigint, ${invoice.currency}, ${paymentMethodId}, ${tx.now}
    returning ${attemptColumns}`)
}

/** started → succeeded or failed. False when it was settled before. */
export async function recordOutcome(tx: Transaction, attempt: Attempt, outcome: Outcome): Promise<boolean> {
  const failure = outcome.state === 'failed' ? outcome : undefined
  const written = await tx.run(sql`
    update payment_attempt
       set state = ${outcome.state}, processor_payment_id = ${outcome.paymentId ?? null},
           failure_code = ${failure?.code ?? null}, failure_message = ${failure?.message ?? null}, settled_at = ${tx.now}
     where account_id = ${attempt.accountId} and invoice_id = ${attempt.invoiceId}
       and attempt_number = ${attempt.attemptNumber} and state = 'started'`)
  return written === 1
}

export async function findAttempt(
  tx: Transaction,
  attempt: InvoiceReference & { attemptNumber: number },
): Promise<Attempt | undefined> {
  return await tx.first<Attempt>(sql`
    select ${attemptColumns} from payment_attempt
     where account_id = ${attempt.accountId} and invoice_id = ${attempt.invoiceId}
       and attempt_number = ${attempt.attemptNumber}`)
}

/** Marks the invoice paid, with every bill carried into it. */
export async function markPaid(tx: Transaction, invoice: InvoiceReference): Promise<void> {
  await tx.run(sql`
    update invoice set state = 'paid', paid_at = ${tx.now}, attempt_due_at = null
     where account_id = ${invoice.accountId}
       and ((invoice_id = ${invoice.invoiceId} and state in ('open', 'unpaid'))
         or (carried_into = ${invoice.invoiceId} and state = 'carried'))`)
}

export async function planAttempt(tx: Transaction, invoice: InvoiceReference, at: Date): Promise<void> {
  await tx.run(sql`
    update invoice set attempt_due_at = ${at}
     where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId} and state = 'open'`)
}

export async function markUnpaid(tx: Transaction, invoice: InvoiceReference): Promise<boolean> {
  const written = await tx.run(sql`
    update invoice set state = 'unpaid', attempt_due_at = null
     where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId} and state = 'open'`)
  return written === 1
}

/** A line as far as its money is concerned, of the invoice or of a bill carried into it. */
export interface CollectedLine {
  readonly invoiceId: string
  readonly lineNumber: number
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  readonly month: Month
  readonly amount: bigint
}

export async function linesCollectedBy(tx: Transaction, invoice: InvoiceReference): Promise<CollectedLine[]> {
  return await tx.rows<CollectedLine>(sql`
    select l.invoice_id as "invoiceId", l.line_number as "lineNumber", l.subscription_id as "subscriptionId",
           l.product_code as "productCode", l.seller_account_id as "sellerAccountId", l.month, l.amount
      from invoice i
      join invoice_line l on l.account_id = i.account_id and l.invoice_id = i.invoice_id
     where i.account_id = ${invoice.accountId}
       and (i.invoice_id = ${invoice.invoiceId} or i.carried_into = ${invoice.invoiceId})
     order by l.invoice_id, l.line_number`)
}

export async function earliestAttemptDue(tx: Transaction): Promise<Date | undefined> {
  const row = await tx.one<{ at: Date | null }>(
    sql`select min(attempt_due_at) as at from invoice where attempt_due_at is not null`,
  )
  return row.at ?? undefined
}

/** A page of invoices whose attempt is due, locked; those another worker holds are left to it. */
export async function lockDueInvoices(tx: Transaction, limit: number): Promise<InvoiceReference[]> {
  return await tx.rows<InvoiceReference>(sql`
    select account_id as "accountId", invoice_id as "invoiceId" from invoice
     where attempt_due_at <= ${tx.now} order by attempt_due_at limit ${limit} for update skip locked`)
}

/** Open monthly bills with a failed attempt, and unpaid ones: what a new card may heal. */
export async function invoicesToHeal(tx: Transaction, accountId: string): Promise<InvoiceReference[]> {
  return await tx.rows<InvoiceReference>(sql`
    select account_id as "accountId", invoice_id as "invoiceId" from invoice i
     where account_id = ${accountId} and kind = 'monthly' and state in ('open', 'unpaid')
       and exists (select from payment_attempt a
                    where a.account_id = i.account_id and a.invoice_id = i.invoice_id and a.state = 'failed')
     order by issued_at`)
}

export async function unpaidTotals(tx: Transaction, accountId: string): Promise<Amount[]> {
  return await tx.rows<Amount>(sql`
    select sum(amount_due)::bigint as minor, currency from invoice
     where account_id = ${accountId} and state = 'unpaid' group by currency order by currency`)
}

export async function findCustomer(tx: Transaction, accountId: string): Promise<{ customerId: string } | undefined> {
  return await tx.first(sql`select processor_customer_id as "customerId" from customer where account_id = ${accountId}`)
}

export async function insertCustomer(tx: Transaction, accountId: string, customerId: string): Promise<void> {
  await tx.run(sql`
    insert into customer (account_id, processor_customer_id, updated_at) values (${accountId}, ${customerId}, ${tx.now})
    on conflict (account_id) do nothing`)
}

export async function selectCard(
  tx: Transaction,
  accountId: string,
): Promise<(Card & { customerId: string }) | undefined> {
  return await tx.first(sql`
    select processor_customer_id as "customerId", payment_method_id as "paymentMethodId", card_brand as brand,
           card_last4 as last4, card_exp_month as "expMonth", card_exp_year as "expYear"
      from customer where account_id = ${accountId} and payment_method_id is not null`)
}

/** @returns false when the account has no customer of that id, or already this card */
export async function updateCard(tx: Transaction, accountId: string, customerId: string, card: Card): Promise<boolean> {
  const written = await tx.run(sql`
    update customer
       set payment_method_id = ${card.paymentMethodId}, card_brand = ${card.brand}, card_last4 = ${card.last4},
           card_exp_month = ${card.expMonth}, card_exp_year = ${card.expYear}, updated_at = ${tx.now}
     where account_id = ${accountId} and processor_customer_id = ${customerId}
       and payment_method_id is distinct from ${card.paymentMethodId}`)
  return written === 1
}

export interface RefundRow {
  readonly accountId: string
  readonly refundId: string
  readonly invoiceId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  readonly month: Month
  readonly reason: 'cancellation'
  readonly amount: bigint
  readonly currency: Currency
}

/** @returns false when this refund was started before */
export async function insertRefund(tx: Transaction, refund: RefundRow): Promise<boolean> {
  const written = await tx.run(sql`
    insert into refund (account_id, refund_id, invoice_id, subscription_id, product_code, seller_account_id, month, reason,
                        amount, currency, state, started_at)
    values (${refund.accountId}, ${refund.refundId}, ${refund.invoiceId}, ${refund.subscriptionId}, ${refund.productCode},
            ${refund.sellerAccountId}, ${refund.month}, ${refund.reason}, ${refund.amount}::bigint, ${refund.currency},
            'started', ${tx.now})
    on conflict (account_id, subscription_id, invoice_id) where reason = 'cancellation' do nothing`)
  return written === 1
}

export async function findRefund(
  tx: Transaction,
  accountId: string,
  refundId: string,
): Promise<(RefundRow & { state: 'started' | 'succeeded' | 'failed' }) | undefined> {
  return await tx.first(sql`
    select account_id as "accountId", refund_id as "refundId", invoice_id as "invoiceId",
           subscription_id as "subscriptionId", product_code as "productCode", seller_account_id as "sellerAccountId",
           month, reason, amount, currency, state
      from refund where account_id = ${accountId} and refund_id = ${refundId}`)
}

/** What was refunded of an invoice so far, refunds under way included. */
export async function refundedOf(tx: Transaction, invoice: InvoiceReference): Promise<bigint> {
  const row = await tx.one<{ sum: bigint }>(sql`
    select coalesce(sum(amount), 0)::bigint as sum from refund
     where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId} and state <> 'failed'`)
  return row.sum
}

export async function settleRefund(
  tx: Transaction,
  refund: RefundRow,
  state: 'succeeded' | 'failed',
  processorRefundId: string | undefined,
): Promise<boolean> {
  const written = await tx.run(sql`
    update refund set state = ${state}, processor_refund_id = ${processorRefundId ?? null}, settled_at = ${tx.now}
     where account_id = ${refund.accountId} and refund_id = ${refund.refundId} and state = 'started'`)
  return written === 1
}

/** @returns false when the event is known */
export async function insertEvent(tx: Transaction, eventId: string, type: string): Promise<boolean> {
  const written = await tx.run(sql`
    insert into processor_event (event_id, type, received_at) values (${eventId}, ${type}, ${tx.now})
    on conflict (event_id) do nothing`)
  return written === 1
}

export async function markEventHandled(tx: Transaction, eventId: string): Promise<void> {
  await tx.run(
    sql`update processor_event set handled_at = ${tx.now} where event_id = ${eventId} and handled_at is null`,
  )
}
