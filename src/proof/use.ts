/** Invariants of use: every hour begun is on one bill, and what runs is what is subscribed to. */
import { monthPeriod, type Month } from '../base/period.ts'
import { sql, type Transaction } from '../database/database.ts'
import { draftUsage } from '../invoices/draft-month.ts'
import type { LineDraft } from '../invoices/invoices.ts'
import { countUsage } from '../metering/count-usage.ts'
import { hoursBegunSql, mayBeginIn } from '../metering/store.ts'
import { PriceBook } from '../rating/price-book.ts'
import { violationsMax, type Check, type Found, type Violation } from './proof.ts'

/** Accounts rated again in one query. */
const pageSize = 1000

const monthStart = sql`(closed.month || '-01')::timestamp at time zone 'UTC'`
const monthEnd = sql`((closed.month || '-01')::timestamp + interval '1 month') at time zone 'UTC'`

export const checksOfUse: readonly Check[] = [
  {
    name: 'hours-in-one-line',
    statement:
      'Every hour that began in a closed month is in exactly one line of that month, and no line has an hour that did not begin.',
    search: sql`
      with begun as (
        select run.account_id, closed.month, run.subscription_id,
          'InstanceHours:' || run.region || ':' || run.environment || ':' || run.instance_type as dimension,
          sum(${hoursBegunSql(monthStart, monthEnd)}) as hours
        from account_month closed join instance_run run on run.account_id = closed.account_id
        where run.subscription_id is not null and ${mayBeginIn(monthStart, monthEnd)}
        group by 1, 2, 3, 4 having sum(${hoursBegunSql(monthStart, monthEnd)}) > 0
      ), billed as (
        select account_id, month, subscription_id, dimension, sum(quantity) as hours
        from invoice_line where kind = 'usage' group by 1, 2, 3, 4
      )
      select account_id as account, month, subscription_id as subscription, dimension, begun.hours as begun, billed.hours as billed
      from begun full join billed using (account_id, month, subscription_id, dimension)
      where begun.hours is distinct from billed.hours`,
  },
  {
    name: 're-rating',
    statement: 'Counting and rating a closed month again gives the lines that are on its bills.',
    search: rateAgain,
  },
  {
    name: 'runs-subscribed',
    statement:
      'A run that is billed is of a subscription of its own account and product, and began no earlier than it was active.',
    search: sql`
      select run.account_id as account, run.instance_id as instance, run.run_number as run, run.started_at,
        subscription.activated_at
      from instance_run run left join subscription using (account_id, subscription_id)
      where run.subscription_id is not null
        and (subscription.subscription_id is null or run.product_code is distinct from subscription.product_code
          or subscription.activated_at is null or run.started_at < subscription.activated_at)`,
  },
  {
    name: 'runs-apart',
    statement: 'The runs of an instance follow each other: none begins before the one before it has ended.',
    search: sql`
      select account_id as account, instance_id as instance, run_number as run, started_at, ended from (
        select *, lag(coalesce(ended_at, 'infinity')) over (partition by account_id, instance_id order by run_number) as ended
        from instance_run
      ) as run where started_at < ended`,
  },
  {
    name: 'open-runs',
    statement: 'An instance has an open run exactly while it is running.',
    search: sql`
      select coalesce(instance.account_id, run.account_id) as account,
        coalesce(instance.instance_id, run.instance_id) as instance, instance.state, run.run_number as open_run
      from (select * from instance where state = 'running') as instance
      full join (select * from instance_run where ended_at is null) as run using (account_id, instance_id)
      where instance.instance_id is null or run.instance_id is null`,
  },
  {
    name: 'one-live-subscription',
    statement: 'A buyer has at most one pending or active subscription to a product.',
    search: sql`
      select account_id as account, product_code as product, count(*) as live from subscription
      where state in ('pending', 'active') group by 1, 2 having count(*) > 1`,
  },
]

/** Rates every closed month again, a page of accounts at a time, by the very functions that billed it. */
async function rateAgain(tx: Transaction): Promise<Found> {
  const months = await tx.rows<{ month: Month }>(sql`select distinct month from account_month order by month`)
  let count = 0
  const violations: Violation[] = []
  for (const { month } of months) {
    const book = new PriceBook(monthPeriod(month))
    for (let after = ''; ;) {
      const accounts = await tx.rows<{ accountId: string }>(sql`
        select account_id as "accountId" from account_month
        where month = ${month} and account_id > ${after} order by account_id limit ${pageSize}`)
      const last = accounts.at(-1)
      if (last === undefined) break
      after = last.accountId
      const found = await compareLines(
        tx,
        month,
        book,
        accounts.map((account) => account.accountId),
      )
      count += found.length
      violations.push(...found.slice(0, violationsMax - violations.length))
    }
  }
  return { count, violations }
}

type UsageLine = LineDraft & { readonly accountId: string }

async function compareLines(
  tx: Transaction,
  month: Month,
  book: PriceBook,
  accountIds: readonly string[],
): Promise<Violation[]> {
  const products = await tx.rows<{ productCode: string }>(sql`
    select distinct product_code as "productCode" from subscription where account_id = any(${accountIds}::text[])`)
  const codes = products.map((product) => product.productCode)
  await book.load(tx, codes)
  const again = draftUsage(month, await countUsage(tx, { accountIds, segments: book.segments(codes) }), book)
  const billed = await tx.rows<UsageLine>(sql`
    select account_id as "accountId", subscription_id as "subscriptionId", product_code as "productCode",
      seller_account_id as "sellerAccountId", kind, dimension, month, period_start as "periodStart",
      period_end as "periodEnd", quantity, price_version as "priceVersion", rate_nano as "rateNano", amount,
      rate_card_version as "rateCardVersion", cost_rate_nano as "costRateNano", cost
    from invoice_line where account_id = any(${accountIds}::text[]) and month = ${month} and kind = 'usage'`)
  const expected = new Map(again.map((line) => [keyOf(line), line]))
  const found = new Map(billed.map((line) => [keyOf(line), line]))
  return [
    ...billed.filter((line) => !expected.has(keyOf(line))).map((line) => told(line, 'billed, and not rated so again')),
    ...again.filter((line) => !found.has(keyOf(line))).map((line) => told(line, 'rated again, and not billed so')),
  ]
}

/** Everything a usage line says. */
function keyOf(line: UsageLine): string {
  return [
    line.accountId,
    line.subscriptionId,
    line.productCode,
    line.sellerAccountId,
    line.dimension,
    line.periodStart.toISOString(),
    line.periodEnd.toISOString(),
    line.quantity,
    line.priceVersion,
    line.rateNano,
    line.amount,
    line.rateCardVersion,
    line.costRateNano,
    line.cost,
  ].join('|')
}

function told(line: UsageLine, finding: string): Violation {
  const { accountId, subscriptionId, dimension, month, periodStart, quantity, amount, cost } = line
  return {
    finding,
    account: accountId,
    subscription: subscriptionId,
    dimension,
    month,
    periodStart,
    quantity,
    amount,
    cost,
  }
}
