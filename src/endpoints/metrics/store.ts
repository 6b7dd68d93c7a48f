/** The SQL of the gauges. Each statement is answered from an index or a short table, so that a scrape costs milliseconds. */
import { sql, type Transaction } from '../../database/database.ts'

/** A scrape must not hold the database up: a statement that takes longer is given up, and its gauge is missing. */
export async function limitStatements(tx: Transaction, milliseconds: number): Promise<void> {
  await tx.run(sql`select set_config('statement_timeout', ${`${milliseconds}`}, true)`)
}

/** Follow-up tasks by what they are doing. */
export async function countTasks(tx: Transaction): Promise<{ state: string; count: number }[]> {
  return await tx.rows(sql`
    select state, count(*)::integer as count from (
      select case when locked_at is not null then 'running' when attempts >= max_attempts then 'failed'
                  when attempts > 0 then 'retrying' else 'waiting' end as state
        from graphile_worker.jobs) task
     group by state`)
}

/** Instances that are neither stopped nor terminated, by state. */
export async function countInstances(tx: Transaction): Promise<{ state: string; count: number }[]> {
  return await tx.rows(sql`
    select state, count(*)::integer as count from instance
     where state in ('pending', 'running', 'stopping', 'shutting-down') group by state`)
}

/** How many instances were launched since ever: each takes the next private address. */
export async function countLaunches(tx: Transaction): Promise<number> {
  const { count } = await tx.one<{ count: number }>(sql`
    select case when is_called then last_value else 0 end::double precision as count from instance_address`)
  return count
}

/** Money under way: bills to be collected, attempts and payouts whose outcome is not known. */
export async function countMoneyUnderWay(tx: Transaction): Promise<{ state: string; count: number }[]> {
  return await tx.rows(sql`
    select 'bills-to-collect' as state, count(*)::integer as count from invoice where attempt_due_at is not null
    union all select 'attempts-undecided', count(*)::integer from payment_attempt where state = 'started'
    union all select 'payouts-undecided', count(*)::integer from payout where state = 'started'
    union all select 'settlements-planned', count(*)::integer from settlement_due`)
}

/** Accounts parked in the latest close of a month that anyone began. */
export async function countParked(tx: Transaction): Promise<number> {
  const { count } = await tx.one<{ count: number }>(sql`
    select count(*)::integer as count from month_close_claim
     where month = (select max(month) from month_close) and not done and parked_reason is not null`)
  return count
}
