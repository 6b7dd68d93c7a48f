/** Invariants of money in and back: what is booked as paid was captured, once, and refunds never exceed it. */
import { sql } from '../database/database.ts'
import type { Check } from './proof.ts'

/** The bill an invoice is collected by: itself, or the one it was carried into. */
const collectedBy = sql`coalesce(invoice.carried_into, invoice.invoice_id)`

/** Lines that charge something, on bills that are paid. */
const collectedLine = sql`
  select line.*, line.invoice_id || '/' || line.line_number as reference, invoice.currency, ${collectedBy} as collected_by
  from invoice_line line join invoice using (account_id, invoice_id)
  where line.amount > 0 and invoice.state = 'paid'`

export const checksOfPayments: readonly Check[] = [
  {
    name: 'payments-booked',
    statement:
      'Every succeeded attempt is booked by one "paid" transfer of its amount, which is what its bill asked for, and no other is.',
    search: sql`
        select coalesce(attempt.account_id, transfer.account_id) as account,
          coalesce(attempt.reference, transfer.reference) as attempt, attempt.amount as captured, attempt.amount_due,
          transfer.amount as booked
        from (
          select payment_attempt.*, payment_attempt.invoice_id || '/' || attempt_number as reference, invoice.amount_due
          from payment_attempt join invoice using (account_id, invoice_id) where payment_attempt.state = 'succeeded'
        ) as attempt
        full join (select * from transfer where kind = 'paid') as transfer
          on transfer.account_id = attempt.account_id and transfer.reference = attempt.reference
        where attempt.amount is distinct from transfer.amount or attempt.amount is distinct from attempt.amount_due
          or attempt.currency is distinct from transfer.currency or attempt.invoice_id is distinct from transfer.invoice_id`,
  },
  {
    name: 'one-capture',
    statement:
      'A bill is captured at most once, and one with something due is paid exactly when it, or the bill it was carried into, is.',
    search: sql`
        select invoice.account_id as account, invoice.invoice_id as invoice, invoice.state, coalesce(captured.times, 0) as captures
        from invoice
        left join (
          select account_id, invoice_id, count(*) as times from payment_attempt where state = 'succeeded' group by 1, 2
        ) as captured on captured.account_id = invoice.account_id and captured.invoice_id = ${collectedBy}
        where coalesce(captured.times, 0) > 1
          or (invoice.state = 'paid' and invoice.amount_due > 0) <> (coalesce(captured.times, 0) > 0)`,
  },
  {
    name: 'deposits',
    statement: 'Every line of a paid bill is deposited to its seller in full, and nothing else is.',
    search: sql`
        select coalesce(line.account_id, transfer.account_id) as account, coalesce(line.reference, transfer.reference) as line,
          line.amount as line_amount, transfer.amount as deposited
        from (${collectedLine}) as line
        full join (select * from transfer where kind = 'deposited') as transfer
          on transfer.account_id = line.account_id and transfer.reference = line.reference
        where (line.amount, line.currency::text, line.seller_account_id, line.product_code, line.month::text)
          is distinct from (transfer.amount, transfer.currency::text, transfer.seller_account_id, transfer.product_code,
            transfer.month::text)`,
  },
  {
    name: 'transaction-fees',
    statement:
      'A collected bill bears one transaction fee for each product on it, carried bills included, and no other bill bears any.',
    search: (tx) => sql`
        select coalesce(bill.account_id, fee.account_id) as account, coalesce(bill.reference, fee.reference) as bill_and_product,
          fee.amount as fee
        from (
          select distinct account_id, collected_by || '/' || product_code as reference, seller_account_id, product_code
          from (${collectedLine}) as line
        ) as bill
        full join (select * from transfer where kind = 'transaction-fee') as fee
          on fee.account_id = bill.account_id and fee.reference = bill.reference
        where bill.reference is null or (fee.reference is null and ${tx.config.transactionFee}::bigint > 0)
          or (fee.reference is not null and (fee.seller_account_id, fee.product_code)
            is distinct from (bill.seller_account_id, bill.product_code))`,
  },
  {
    name: 'refunds-booked',
    statement:
      'Every refund is booked against its seller in full, and as returned exactly when the processor has returned it.',
    search: sql`
        select coalesce(refund.account_id, transfer.account_id) as account,
          coalesce(refund.refund_id::text, transfer.reference) as refund, coalesce(refund.kind, transfer.kind) as kind,
          refund.amount, transfer.amount as booked
        from (
          select *, 'refunded' as kind from refund
          union all
          select *, 'refund-paid' from refund where state = 'succeeded'
        ) as refund
        full join (select * from transfer where kind in ('refunded', 'refund-paid')) as transfer
          on transfer.account_id = refund.account_id and transfer.reference = refund.refund_id::text
            and transfer.kind = refund.kind
        where refund.amount is distinct from transfer.amount or refund.currency is distinct from transfer.currency
          or (transfer.kind = 'refunded' and (transfer.seller_account_id, transfer.product_code, transfer.month::text)
            is distinct from (refund.seller_account_id, refund.product_code, refund.month::text))`,
  },
  {
    name: 'refunds-within-captures',
    statement:
      'The refunds of a captured bill, and those of a product’s month, never exceed what was collected for it.',
    search: sql`
        select refund.account_id as account, ${collectedBy}::text as subject, sum(refund.amount) as refunded,
          coalesce(max(attempt.amount), 0) as collected
        from refund
        join invoice using (account_id, invoice_id)
        left join payment_attempt attempt on attempt.account_id = invoice.account_id
          and attempt.invoice_id = ${collectedBy} and attempt.state = 'succeeded'
        group by 1, 2 having sum(refund.amount) > coalesce(max(attempt.amount), 0)
        union all
        select account_id, product_code || ' ' || month, sum(amount) filter (where kind = 'refunded'),
          coalesce(sum(amount) filter (where kind = 'deposited'), 0)
        from transfer where kind in ('refunded', 'deposited') group by 1, 2
        having sum(amount) filter (where kind = 'refunded') > coalesce(sum(amount) filter (where kind = 'deposited'), 0)`,
  },
]
