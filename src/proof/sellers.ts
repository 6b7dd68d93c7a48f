/** Invariants of sellers' money: charged by the formulas, settled when it moved, paid out once. */
import { sql } from '../database/database.ts'
import type { Check } from './proof.ts'

/** What spec §7 charges at the figures of a row. */
const formula = sql`
  case when cost <= revenue then least(cost, collected) else least(revenue, collected) + (cost - revenue) end`
const feeFormula = sql`round(percentage_fee * greatest(least(collected, revenue) - cost, 0)::numeric / 10000)`

/** The last step of every (buyer, product, month). */
const lastStep = sql`
  select distinct on (account_id, product_code, month) * from settlement_step
  order by account_id, product_code, month, step desc`

export const checksOfSellers: readonly Check[] = [
  {
    name: 'ledger-sides',
    statement: 'Every transfer moves between the accounts its kind moves between.',
    search: sql`
      select account_id as account, kind, reference, debit, credit from transfer
      where (kind, debit, credit) not in (
        ('billed', 'receivable', 'expected-revenue'), ('billed-reversed', 'expected-revenue', 'receivable'),
        ('paid', 'processor', 'receivable'), ('deposited', 'expected-revenue', 'seller-balance'),
        ('transaction-fee', 'seller-balance', 'transaction-fees'),
        ('cloud-cost', 'seller-balance', 'cloud-costs'), ('cloud-cost', 'cloud-costs', 'seller-balance'),
        ('percentage-fee', 'seller-balance', 'percentage-fees'), ('percentage-fee', 'percentage-fees', 'seller-balance'),
        ('refunded', 'seller-balance', 'receivable'), ('refund-paid', 'receivable', 'processor'),
        ('payout', 'seller-balance', 'processor'), ('payout-reversed', 'processor', 'seller-balance'))`,
  },
  {
    name: 'expected-revenue',
    statement:
      'What a seller still expects in the books is the sum of their lines on bills that stand and are not paid.',
    search: sql`
      with standing as (
        select line.seller_account_id, invoice.currency::text, sum(line.amount) as minor
        from invoice_line line join invoice using (account_id, invoice_id)
        where invoice.state in ('open', 'unpaid', 'carried') group by 1, 2
      ), booked as (
        select seller_account_id, currency::text, sum(case when credit = 'expected-revenue' then amount else -amount end) as minor
        from transfer where 'expected-revenue' in (debit, credit) group by 1, 2
      )
      select seller_account_id as seller, currency, standing.minor as bills, booked.minor as booked
      from standing full join booked using (seller_account_id, currency)
      where coalesce(standing.minor, 0) <> coalesce(booked.minor, 0)`,
  },
  {
    name: 'seller-balances',
    statement:
      'A seller’s balance in the books is the lines collected for them, less transaction fees, costs and percentages charged, refunds and payouts.',
    search: sql`
      with facts as (
        select line.seller_account_id, invoice.currency::text, line.amount
        from invoice_line line join invoice using (account_id, invoice_id) where invoice.state = 'paid'
        union all select seller_account_id, currency, -amount from transfer where kind = 'transaction-fee'
        union all select seller_account_id, currency, -cost_charged - fee_charged from (${lastStep}) as step
        union all select seller_account_id, currency, -amount from refund
        union all select seller_account_id, currency, -amount from payout where state <> 'failed'
      ), expected as (
        select seller_account_id, currency, sum(amount) as minor from facts group by 1, 2
      ), booked as (
        select seller_account_id, currency::text, sum(case when credit = 'seller-balance' then amount else -amount end) as minor
        from transfer where 'seller-balance' in (debit, credit) group by 1, 2
      )
      select seller_account_id as seller, currency, expected.minor as facts, booked.minor as booked
      from expected full join booked using (seller_account_id, currency)
      where coalesce(expected.minor, 0) <> coalesce(booked.minor, 0)`,
  },
  {
    name: 'settlement-formulas',
    statement:
      'Every settlement step charges what the formulas of spec §7 say at its figures, and steps are numbered without a gap.',
    search: sql`
      select account_id as account, product_code as product, month, step, revenue, cost, collected, cost_charged, fee_charged
      from (
        select *, row_number() over (partition by account_id, product_code, month order by step) as place from settlement_step
      ) as step
      where cost_charged <> ${formula} or fee_charged <> ${feeFormula} or step <> place`,
  },
  {
    name: 'settlement-booked',
    statement:
      'What is booked as cloud cost and percentage fee of a buyer’s month of a product is what its last step has charged.',
    search: sql`
      with charged as (
        select account_id, product_code, month::text, 'cloud-cost' as kind, cost_charged as minor from (${lastStep}) as step
        union all
        select account_id, product_code, month::text, 'percentage-fee', fee_charged from (${lastStep}) as step
      ), booked as (
        select account_id, product_code, month::text, kind,
          sum(case when debit = 'seller-balance' then amount else -amount end) as minor
        from transfer where kind in ('cloud-cost', 'percentage-fee') group by 1, 2, 3, 4
      )
      select account_id as account, product_code as product, month, kind, charged.minor as charged, booked.minor as booked
      from charged full join booked using (account_id, product_code, month, kind)
      where coalesce(charged.minor, 0) <> coalesce(booked.minor, 0)
      union all
      select transfer.account_id, transfer.product_code, transfer.month, transfer.kind, null, transfer.amount
      from transfer left join settlement_step step on step.account_id = transfer.account_id
        and transfer.reference = step.product_code || '/' || step.month || '/' || step.step
      where transfer.kind in ('cloud-cost', 'percentage-fee') and step.step is null`,
  },
  {
    name: 'settlement-current',
    statement:
      'Where the figures of a buyer’s month of a product have changed what is owed since its last step, its settlement is planned.',
    search: (tx) => sql`
      with line as (
        select line.account_id, line.product_code, line.month::text, sum(line.amount) as billed, sum(line.cost) as cost
        from invoice_line line join invoice using (account_id, invoice_id) where invoice.state <> 'void' group by 1, 2, 3
      ), money as (
        select account_id, product_code, month::text, coalesce(sum(amount) filter (where kind = 'deposited'), 0) as deposited,
          coalesce(sum(amount) filter (where kind = 'refunded'), 0) as refunded
        from transfer where kind in ('deposited', 'refunded') group by 1, 2, 3
      ), figures as (
        select account_id, product_code, month, coalesce(billed, 0) - coalesce(refunded, 0) as revenue,
          coalesce(cost, 0) as cost, coalesce(deposited, 0) - coalesce(refunded, 0) as collected
        from line full join money using (account_id, product_code, month)
      )
      select account_id as account, product_code as product, month, revenue, cost, collected, cost_charged, fee_charged
      from (
        select figures.*, coalesce(last.cost_charged, 0) as cost_charged, coalesce(last.fee_charged, 0) as fee_charged,
          coalesce(last.percentage_fee, ${tx.config.percentageFee}::bigint) as percentage_fee
        from figures
        left join (select account_id, product_code, month::text, cost_charged, fee_charged, percentage_fee
                   from (${lastStep}) as step) as last using (account_id, product_code, month)
      ) as now
      where (cost_charged <> ${formula} or fee_charged <> ${feeFormula})
        and not exists (select 1 from settlement_due due where due.account_id = now.account_id
          and due.product_code = now.product_code and due.month = now.month)`,
  },
  {
    name: 'payouts-booked',
    statement: 'Every payout is booked by one transfer of its amount, and reversed exactly when it has failed.',
    search: sql`
      select coalesce(payout.seller_account_id, transfer.account_id) as seller,
        coalesce(payout.payout_number::text, transfer.reference) as payout, coalesce(payout.kind, transfer.kind) as kind,
        payout.amount, transfer.amount as booked
      from (
        select *, 'payout' as kind from payout
        union all
        select *, 'payout-reversed' from payout where state = 'failed'
      ) as payout
      full join (select * from transfer where kind in ('payout', 'payout-reversed')) as transfer
        on transfer.account_id = payout.seller_account_id and transfer.reference = payout.payout_number::text
          and transfer.kind = payout.kind
      where payout.amount is distinct from transfer.amount or payout.currency is distinct from transfer.currency
        or transfer.seller_account_id is distinct from payout.seller_account_id`,
  },
]
