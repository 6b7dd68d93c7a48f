/** Invariants of bills: what is billed is booked, once, and at the price in force. */
import { sql } from '../database/database.ts'
import type { Check } from './proof.ts'

/** Lines that charge something, with their bill. */
const chargingLine = sql`
  select line.*, line.invoice_id || '/' || line.line_number as reference, invoice.currency, invoice.state
  from invoice_line line join invoice using (account_id, invoice_id)
  where line.amount > 0`

/** Where two facts must say the same, given as `line` and `transfer`. */
const differs = sql`
  (line.amount, line.currency::text, line.seller_account_id, line.product_code, line.month::text, line.invoice_id)
  is distinct from
  (transfer.amount, transfer.currency::text, transfer.seller_account_id, transfer.product_code, transfer.month::text,
   transfer.invoice_id)`

const lineAndTransfer = sql`
  coalesce(line.account_id, transfer.account_id) as account, coalesce(line.reference, transfer.reference) as line,
  line.amount as line_amount, transfer.amount as transfer_amount`

export const checksOfBills: readonly Check[] = [
  {
    name: 'lines-booked',
    statement:
      'Every line that charges something is booked by one "billed" transfer with its figures, and no other is.',
    search: sql`
      select ${lineAndTransfer} from (${chargingLine}) as line
      full join (select * from transfer where kind = 'billed') as transfer
        on transfer.account_id = line.account_id and transfer.reference = line.reference
      where ${differs}`,
  },
  {
    name: 'invoice-totals',
    statement:
      'A bill has lines, its total is their sum, and its amount due adds the totals of the bills carried into it.',
    search: sql`
      select invoice.account_id as account, invoice.invoice_id as invoice, invoice.total, line.total as lines,
        invoice.amount_due, coalesce(earlier.total, 0) as carried
      from invoice
      left join (select account_id, invoice_id, sum(amount) as total from invoice_line group by 1, 2) as line
        using (account_id, invoice_id)
      left join (select account_id, carried_into, sum(total) as total from invoice where carried_into is not null
                 group by 1, 2) as earlier
        on earlier.account_id = invoice.account_id and earlier.carried_into = invoice.invoice_id
      where line.total is distinct from invoice.total
        or invoice.amount_due <> invoice.total + coalesce(earlier.total, 0)`,
  },
  {
    name: 'bills-carried',
    statement:
      'A carried bill is part of at most one later bill of its account and currency, and is paid exactly when that is.',
    search: sql`
      select early.account_id as account, early.invoice_id as invoice, early.state, late.invoice_id as into, late.state as into_state
      from invoice early left join invoice late on late.account_id = early.account_id and late.invoice_id = early.carried_into
      where early.carried_into is not null
        and (late.invoice_id is null or late.currency <> early.currency or late.kind <> 'monthly'
          or late.state not in ('open', 'unpaid', 'paid') or (late.state = 'paid') <> (early.state = 'paid')
          or late.carried_into is not null)`,
  },
  {
    name: 'voids-reversed',
    statement: 'Every line of a void bill is reversed in full, no other line is, and only bills of sign-ups are void.',
    search: sql`
      select ${lineAndTransfer} from (select * from (${chargingLine}) as charging where state = 'void') as line
      full join (select * from transfer where kind = 'billed-reversed') as transfer
        on transfer.account_id = line.account_id and transfer.reference = line.reference
      where ${differs}
      union all
      select account_id, invoice_id::text, total, null from invoice where state = 'void' and kind <> 'sign-up'`,
  },
  {
    name: 'receivables',
    statement:
      'What a buyer owes in the books is the sum of the bills that are open, unpaid or carried, less refunds not yet returned.',
    search: sql`
      with standing as (
        select account_id, currency::text, sum(amount) as minor from (
          select account_id, currency, total as amount from invoice where state in ('open', 'unpaid', 'carried')
          union all
          select account_id, currency, -amount from refund where state <> 'succeeded'
        ) as owed group by 1, 2
      ), booked as (
        select account_id, currency::text, sum(case when debit = 'receivable' then amount else -amount end) as minor
        from transfer where 'receivable' in (debit, credit) group by 1, 2
      )
      select account_id as account, currency, standing.minor as bills, booked.minor as booked
      from standing full join booked using (account_id, currency)
      where coalesce(standing.minor, 0) <> coalesce(booked.minor, 0)`,
  },
  {
    name: 'charges-at-price',
    statement:
      'A one-time or monthly charge is that of the price version in force when its period begins; the month of a sign-up is prorated to the cent.',
    search: sql`
      select line.account_id as account, line.invoice_id as invoice, line.line_number as line, line.kind, line.amount,
        price.one_time, price.monthly, price.version, line.price_version
      from invoice_line line
      join invoice using (account_id, invoice_id)
      join subscription on subscription.account_id = line.account_id and subscription.subscription_id = line.subscription_id
      left join lateral (
        select version, one_time, monthly from price_version
        where price_version.product_code = line.product_code
          and effective_at <= case when invoice.kind = 'sign-up' then subscription.created_at else line.period_start end
        order by effective_at desc, version desc limit 1
      ) as price on true
      cross join lateral (
        select extract(day from (line.month || '-01')::date + interval '1 month' - interval '1 day')::numeric as days,
          extract(day from subscription.created_at at time zone 'UTC')::numeric as day
      ) as calendar
      where line.kind <> 'usage' and (
        price.version is distinct from line.price_version
        or line.amount is distinct from case
          when line.kind = 'one-time' then price.one_time
          when invoice.kind = 'sign-up' then round(price.monthly * (days - day + 1) / days)
          else price.monthly end)`,
  },
  {
    name: 'months-billed-once',
    statement:
      'No stretch of a subscription’s use and no month of its charge is on two lines, and a monthly bill belongs to a closed month of its account.',
    search: sql`
      select account_id as account, subscription_id as subscription, dimension, month, period_start from (
        select *, lag(period_end) over (partition by account_id, subscription_id, dimension order by period_start, period_end)
          as ended from invoice_line where kind = 'usage'
      ) as line where period_start < ended
      union all
      select account_id, subscription_id, kind, month, min(period_start) from invoice_line
      where kind <> 'usage' group by 1, 2, 3, 4 having count(*) > 1
      union all
      select invoice.account_id, invoice.invoice_id, 'not closed', invoice.month, invoice.issued_at
      from invoice left join account_month using (account_id, month)
      where invoice.kind = 'monthly' and account_month.month is null`,
  },
  {
    name: 'subscribers-charged',
    statement:
      'When a month of an account is closed, every subscription active since before its end is charged for the next month, and none that ended before it.',
    search: sql`
      select account_id as account, subscription_id as subscription, closed.month as closed_month, 'not charged' as finding
      from account_month closed
      cross join lateral (select (closed.month || '-01')::timestamp at time zone 'UTC' + interval '1 month' as ends_at) as boundary
      join subscription using (account_id)
      cross join lateral (
        select monthly from price_version
        where price_version.product_code = subscription.product_code and effective_at <= ends_at
        order by effective_at desc, version desc limit 1
      ) as price
      where subscription.created_at < ends_at and subscription.activated_at < ends_at and price.monthly > 0
        and (subscription.ended_at is null or subscription.ended_at > closed.closed_at)
        and not exists (
          select 1 from invoice_line line
          where line.account_id = closed.account_id and line.subscription_id = subscription.subscription_id
            and line.kind = 'monthly' and line.period_start = ends_at)
      union all
      select line.account_id, line.subscription_id, invoice.month, 'charged after its end'
      from invoice_line line
      join invoice using (account_id, invoice_id)
      join subscription on subscription.account_id = line.account_id and subscription.subscription_id = line.subscription_id
      where line.kind = 'monthly' and invoice.kind = 'monthly' and subscription.ended_at < line.period_start`,
  },
  {
    name: 'closes-complete',
    statement:
      'In the close of a month, an account is done exactly when its month is closed, and a finished close leaves no account open.',
    search: sql`
      select claim.month, claim.account_id as account, claim.done, closed.closed_at
      from month_close_claim claim
      join month_close using (month)
      left join account_month closed using (month, account_id)
      where claim.done <> (closed.account_id is not null)
        or (month_close.finished_at is not null and not claim.done and claim.parked_reason is null and not claim.let_pass)`,
  },
]
