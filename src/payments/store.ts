/** The SQL of payments: buyers at the processor, attempts, refunds, events, and the payment side of invoices. */
import type { Amount, Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'
import { addDays } from '../base/time.ts'
import { empty, sql, type Transaction } from '../database/database.ts'
import type { Attempt, InvoiceReference, Outcome, Refund } from './payments.ts'
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
  /** The bill that collects this one. */
  readonly carriedInto: string | null
}

const invoiceColumns = sql`
  account_id as "accountId", invoice_id as "invoiceId", kind, state, month, subscription_id as "subscriptionId",
  amount_due as "amountDue", currency, issued_at as "issuedAt", carried_into as "carriedInto"`

const attemptColumns = sql`
  account_id as "accountId", invoice_id as "invoiceId", attempt_number as "attemptNumber", state, amount, currency,
  payment_method_id as "paymentMethodId", started_at as "startedAt", processor_payment_id as "paymentId",
  failure_code as "failureCode", failure_message as "failureMessage", asked_at < now() - interval '12 hours' as "keyMayBeForgotten"`

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

/** The capture of an invoice, or of the one it was carried into, with the processor's payment it was. */
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
    insert into payment_attempt (account_id, invoice_id, attempt_number, state, amount, currency, payment_method_id,
                                 started_at, resume_due_at)
    select ${invoice.accountId}, ${invoice.invoiceId},
           coalesce((select max(attempt_number) from payment_attempt
                      where account_id = ${invoice.accountId} and invoice_id = ${invoice.invoiceId}), 0) + 1,
           'started', ${invoice.amountDue}::bigint, ${invoice.currency}, ${paymentMethodId}, ${tx.now},
           ${addDays(tx.now, 1)}
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

/**
 * Subscriptions whose buyer (or the operator) cancelled them inside a month that this invoice, or a bill carried into it,
 * charges for: what was not used of it could not be given back before it was collected.
 */
export async function cancelledOn(tx: Transaction, invoice: InvoiceReference): Promise<string[]> {
  const rows = await tx.rows<{ subscriptionId: string }>(sql`
    select distinct l.subscription_id as "subscriptionId"
      from invoice i
      join invoice_line l on l.account_id = i.account_id and l.invoice_id = i.invoice_id
      join subscription s on s.account_id = l.account_id and s.subscription_id = l.subscription_id
     where i.account_id = ${invoice.accountId}
       and (i.invoice_id = ${invoice.invoiceId} or i.carried_into = ${invoice.invoiceId})
       and l.kind = 'monthly' and s.state = 'cancelled' and s.end_reason <> 'non-payment'
       and s.ended_at >= l.period_start and s.ended_at < l.period_end`)
  return rows.map((row) => row.subscriptionId)
}

export async function earliestCollectionDue(tx: Transaction): Promise<Date | undefined> {
  const row = await tx.one<{ at: Date | null }>(sql`
    select least((select min(attempt_due_at) from invoice where attempt_due_at is not null),
                 (select min(resume_due_at) from payment_attempt where state = 'started'),
                 (select min(resume_due_at) from refund where state = 'started')) as at`)
  return row.at ?? undefined
}

/** A page of invoices whose attempt is due, locked; whoever held one may have started its attempt, then it is left out. */
export async function lockDueInvoices(tx: Transaction, limit: number): Promise<InvoiceReference[]> {
  return await tx.rows<InvoiceReference>(sql`
    select account_id as "accountId", invoice_id as "invoiceId" from invoice
     where attempt_due_at <= ${tx.now} order by attempt_due_at, account_id, invoice_id limit ${limit} for update`)
}

/** Takes a page of started attempts whose task is due anew, due again at `nextAt`. */
export async function resumeAttempts(
  tx: Transaction,
  nextAt: Date,
  limit: number,
): Promise<(InvoiceReference & { attemptNumber: number })[]> {
  return await tx.rows(sql`
    update payment_attempt set resume_due_at = ${nextAt}
     where (account_id, invoice_id, attempt_number) in (
       select account_id, invoice_id, attempt_number from payment_attempt
        where state = 'started' and resume_due_at <= ${tx.now} limit ${limit})
       and state = 'started'
    returning account_id as "accountId", invoice_id as "invoiceId", attempt_number as "attemptNumber"`)
}

/** Takes a page of started refunds whose task is due anew, due again at `nextAt`. */
export async function resumeRefunds(
  tx: Transaction,
  nextAt: Date,
  limit: number,
): Promise<{ accountId: string; refundId: string }[]> {
  return await tx.rows(sql`
    update refund set resume_due_at = ${nextAt}
     where (account_id, refund_id) in (
       select account_id, refund_id from refund where state = 'started' and resume_due_at <= ${tx.now} limit ${limit})
       and state = 'started'
    returning account_id as "accountId", refund_id as "refundId"`)
}

/** An account's monthly bills that are not paid, oldest first, locked: none of their attempts is settled meanwhile. */
export async function lockOwedInvoices(tx: Transaction, accountId: string): Promise<InvoiceReference[]> {
  return await tx.rows<InvoiceReference>(sql`
    select account_id as "accountId", invoice_id as "invoiceId" from invoice
     where account_id = ${accountId} and kind = 'monthly' and state in ('open', 'unpaid')
     order by issued_at, invoice_id for update`)
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

/** The customer, locked: of two card entries the one is taken over before the other. */
export async function lockCustomer(tx: Transaction, accountId: string): Promise<{ customerId: string } | undefined> {
  return await tx.first(
    sql`select processor_customer_id as "customerId" from customer where account_id = ${accountId} for update`,
  )
}

export async function insertCardSetup(tx: Transaction, setup: { accountId: string; sessionId: string }): Promise<void> {
  await tx.run(sql`
    insert into card_setup (account_id, session_id, started_at) values (${setup.accountId}, ${setup.sessionId}, ${tx.now})
    on conflict do nothing`)
}

/** @returns `superseded`: the card of a setup that was begun later has been taken over */
export async function findCardSetup(
  tx: Transaction,
  setup: { accountId: string; sessionId: string },
): Promise<{ taken: boolean; superseded: boolean } | undefined> {
  return await tx.first(sql`
    select taken_at is not null as taken,
           exists (select from card_setup later where later.account_id = s.account_id
                      and later.setup_number > s.setup_number and later.taken_at is not null) as superseded
      from card_setup s where account_id = ${setup.accountId} and session_id = ${setup.sessionId}`)
}

export async function markCardSetupTaken(
  tx: Transaction,
  setup: { accountId: string; sessionId: string },
): Promise<void> {
  await tx.run(sql`
    update card_setup set taken_at = ${tx.now}
     where account_id = ${setup.accountId} and session_id = ${setup.sessionId} and taken_at is null`)
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
  /** The month whose revenue it lessens. */
  readonly month: Month
  readonly reason: 'cancellation'
  /** Minor units, more than zero. */
  readonly amount: bigint
  readonly currency: Currency
}

export async function insertRefund(tx: Transaction, refund: RefundRow): Promise<void> {
  await tx.run(sql`
    insert into refund (account_id, refund_id, invoice_id, subscription_id, product_code, seller_account_id, month, reason,
                        amount, currency, state, started_at, resume_due_at)
    values (${refund.accountId}, ${refund.refundId}, ${refund.invoiceId}, ${refund.subscriptionId}, ${refund.productCode},
            ${refund.sellerAccountId}, ${refund.month}, ${refund.reason}, ${refund.amount}::bigint, ${refund.currency},
            'started', ${tx.now}, ${addDays(tx.now, 1)})`)
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

/** What bounds a refund: what was refunded so far, whatever became of it at the processor, and what may be at most. */
export interface RefundBounds {
  /** Of everything that was captured with the bill: the bill and all that were carried into it. */
  readonly refundedOfCapture: bigint
  /** Of the subscription, on this bill. */
  readonly refundedOfSubscription: bigint
  /** The subscription's lines on this bill. */
  readonly chargedOfSubscription: bigint
}

/** @param collectedBy the bill that was captured: the invoice itself, or the one it was carried into */
export async function refundBounds(
  tx: Transaction,
  of: InvoiceReference & { subscriptionId: string; collectedBy: string },
): Promise<RefundBounds> {
  const { accountId, invoiceId, subscriptionId, collectedBy } = of
  return await tx.one<RefundBounds>(sql`
    select (select coalesce(sum(r.amount), 0)::bigint from refund r join invoice i using (account_id, invoice_id)
             where r.account_id = ${accountId} and (i.invoice_id = ${collectedBy} or i.carried_into = ${collectedBy})
           ) as "refundedOfCapture",
           (select coalesce(sum(amount), 0)::bigint from refund
             where account_id = ${accountId} and invoice_id = ${invoiceId} and subscription_id = ${subscriptionId}
           ) as "refundedOfSubscription",
           (select coalesce(sum(amount), 0)::bigint from invoice_line
             where account_id = ${accountId} and invoice_id = ${invoiceId} and subscription_id = ${subscriptionId}
           ) as "chargedOfSubscription"`)
}

export async function hasCancellationRefund(
  tx: Transaction,
  of: InvoiceReference & { subscriptionId: string },
): Promise<boolean> {
  const row = await tx.first(sql`
    select 1 from refund where account_id = ${of.accountId} and invoice_id = ${of.invoiceId}
       and subscription_id = ${of.subscriptionId} and reason = 'cancellation'`)
  return row !== undefined
}

/** What was given back of a bill, or of a subscription; latest first. */
export async function selectRefunds(
  tx: Transaction,
  of: { accountId: string; invoiceId?: string; subscriptionId?: string },
): Promise<Refund[]> {
  return await tx.rows<Refund>(sql`
    select refund_id as "refundId", invoice_id as "invoiceId", subscription_id as "subscriptionId",
           product_code as "productCode", amount, currency, state, started_at as "startedAt"
      from refund
     where account_id = ${of.accountId}
       ${of.invoiceId === undefined ? empty : sql`and invoice_id = ${of.invoiceId}`}
       ${of.subscriptionId === undefined ? empty : sql`and subscription_id = ${of.subscriptionId}`}
     order by started_at desc, refund_id`)
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
