/** The SQL of metering: the formula of `hours-begun.ts`, over all runs of many accounts at once. */
import type { Month } from '../base/period.ts'
import { empty, sql, type Sql, type Transaction } from '../database/database.ts'
import type { Segment } from './metering.ts'

/** Hours of a run begun before an instant; the twin of `begunBefore`, and tested against it. */
function begunBefore(instant: Sql): Sql {
  return sql`least(
    greatest(ceil(extract(epoch from ${instant} - run.started_at) / 3600), 0),
    case when run.ended_at is not null
         then greatest(ceil(extract(epoch from run.ended_at - run.started_at) / 3600), 1) end)`
}

/** Hours of the run named `run` that begin in the period given by two SQL expressions. */
export function hoursBegunSql(start: Sql, end: Sql): Sql {
  return sql`(${begunBefore(end)} - ${begunBefore(start)})`
}

/** Whether hours of the run named `run` may begin in the period. */
export function mayBeginIn(start: Sql, end: Sql): Sql {
  return sql`(run.started_at < ${end}
    and (run.ended_at is null or run.ended_at > ${start} or run.started_at >= ${start}))`
}

const segmentStart = sql`segment.start_at`
const segmentEnd = sql`segment.end_at`

export interface UsageRow {
  readonly accountId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  readonly region: string
  readonly environment: string
  readonly instanceType: string
  readonly periodStart: Date
  readonly periodEnd: Date
  readonly quantity: bigint
}

/**
 * Hours begun per subscription, configuration and segment. Runs without a subscription are nobody's to pay: the owner of a
 * product runs it freely.
 *
 * @param subscriptionIds only these; empty counts nothing
 */
export async function selectUsage(
  tx: Transaction,
  accountIds: readonly string[],
  segments: readonly Segment[],
  subscriptionIds: readonly string[] | undefined,
): Promise<UsageRow[]> {
  return await tx.rows<UsageRow>(sql`
    select run.account_id as "accountId", run.subscription_id as "subscriptionId", run.product_code as "productCode",
      subscription.seller_account_id as "sellerAccountId", run.region, run.environment,
      run.instance_type as "instanceType", segment.start_at as "periodStart", segment.end_at as "periodEnd",
      sum(${hoursBegunSql(segmentStart, segmentEnd)})::bigint as quantity
    from instance_run run
    join unnest(${segments.map((s) => s.productCode)}::text[], ${segments.map((s) => s.start)}::timestamptz[],
                ${segments.map((s) => s.end)}::timestamptz[]) as segment (product_code, start_at, end_at)
      on segment.product_code = run.product_code
    join subscription on subscription.account_id = run.account_id and subscription.subscription_id = run.subscription_id
    where run.account_id = any(${accountIds}::text[]) and run.subscription_id is not null
      ${subscriptionIds === undefined ? empty : sql`and run.subscription_id = any(${subscriptionIds}::uuid[])`}
      and ${mayBeginIn(segmentStart, segmentEnd)}
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    having sum(${hoursBegunSql(segmentStart, segmentEnd)}) > 0
    order by 1, 2, 5, 6, 7, 8`)
}

export interface ProductUsageRow extends Omit<UsageRow, 'accountId' | 'subscriptionId' | 'sellerAccountId'> {
  /** Subscriptions that each have this quantity. */
  readonly subscriptions: bigint
}

/**
 * The same count over all buyers of some products, as a distribution: how many subscriptions have which quantity. A price
 * rounds per subscription, so this is exact where a sum would not be, and small where rows would be many.
 *
 * @param openIn leaves out accounts whose month is closed: their use is on bills already
 */
export async function selectProductUsage(
  tx: Transaction,
  segments: readonly Segment[],
  openIn: Month,
): Promise<ProductUsageRow[]> {
  return await tx.rows<ProductUsageRow>(sql`
    select product_code as "productCode", region, environment, instance_type as "instanceType",
      start_at as "periodStart", end_at as "periodEnd", quantity, count(*) as subscriptions
    from (
      select run.product_code, run.region, run.environment, run.instance_type, segment.start_at, segment.end_at,
        sum(${hoursBegunSql(segmentStart, segmentEnd)})::bigint as quantity
      from instance_run run
      join unnest(${segments.map((s) => s.productCode)}::text[], ${segments.map((s) => s.start)}::timestamptz[],
                  ${segments.map((s) => s.end)}::timestamptz[]) as segment (product_code, start_at, end_at)
        on segment.product_code = run.product_code
      where run.subscription_id is not null and ${mayBeginIn(segmentStart, segmentEnd)}
        and not exists (select 1 from account_month closed
                        where closed.account_id = run.account_id and closed.month = ${openIn})
      group by run.account_id, run.subscription_id, 1, 2, 3, 4, 5, 6
    ) as per_subscription
    where quantity > 0
    group by 1, 2, 3, 4, 5, 6, 7
    order by 1, 2, 3, 4, 5, 7`)
}
