/** The SQL of closing months: every statement is over a cohort of accounts, never over one. */
import type { Currency } from '../base/money.ts'
import { monthPeriod, type Month } from '../base/period.ts'
import { empty, sql, type Transaction } from '../database/database.ts'
import type { BilledSubscription } from './draft-month.ts'

/** A claim on closing an account's month. */
export interface Claim {
  readonly accountId: string
  /** A person has let its bill pass. */
  readonly letPass: boolean
}

export interface CloseRow {
  readonly month: Month
  readonly finishedAt: Date | null
}

export async function insertClose(tx: Transaction, month: Month): Promise<CloseRow> {
  await tx.run(sql`insert into month_close (month, started_at) values (${month}, ${tx.now}) on conflict do nothing`)
  return await tx.one<CloseRow>(sql`
    select month, finished_at as "finishedAt" from month_close where month = ${month}`)
}

/** The month closed last; while there is none, the first instant anything was sold. */
export async function selectBounds(tx: Transaction): Promise<{ lastFinished: Month | null; firstSold: Date | null }> {
  const { lastFinished } = await tx.one<{ lastFinished: Month | null }>(
    sql`select max(month) as "lastFinished" from month_close where finished_at is not null`,
  )
  if (lastFinished !== null) return { lastFinished, firstSold: null }
  return {
    lastFinished,
    ...(await tx.one<{ firstSold: Date | null }>(sql`select min(created_at) as "firstSold" from subscription`)),
  }
}

/** Claims every account that may have something to bill and has none yet. @returns how many are new */
export async function insertClaims(tx: Transaction, month: Month): Promise<number> {
  const { start, end } = monthPeriod(month)
  return await tx.run(sql`
    insert into month_close_claim (month, account_id)
    select ${month}, account_id from (
      select account_id from subscription
      where created_at < ${end} and state <> 'failed' and (ended_at is null or ended_at >= ${start})
      union
      select account_id from instance_run
      where subscription_id is not null and started_at < ${end} and (ended_at is null or ended_at >= ${start})
    ) as billable
    on conflict (month, account_id) do nothing`)
}

/** Takes open claims that nobody holds; they are held until the transaction ends. */
export async function lockClaims(
  tx: Transaction,
  of: { month: Month; limit: number; accountId?: string },
): Promise<Claim[]> {
  return await tx.rows<Claim>(sql`
    select account_id as "accountId", let_pass as "letPass" from month_close_claim
    where month = ${of.month} and not done and parked_reason is null
      ${of.accountId === undefined ? empty : sql`and account_id = ${of.accountId}`}
    order by account_id limit ${of.limit} for update skip locked`)
}

export async function finishClaims(tx: Transaction, month: Month, accountIds: readonly string[]): Promise<void> {
  await tx.run(sql`
    update month_close_claim set done = true where month = ${month} and account_id = any(${accountIds}::text[])`)
}

export async function parkClaim(
  tx: Transaction,
  of: { month: Month; accountId: string; reason: string },
): Promise<boolean> {
  const written = await tx.run(sql`
    update month_close_claim set parked_reason = ${of.reason}
    where month = ${of.month} and account_id = ${of.accountId} and not done`)
  return written === 1
}

export async function releaseClaim(tx: Transaction, of: { month: Month; accountId: string }): Promise<boolean> {
  const written = await tx.run(sql`
    update month_close_claim set parked_reason = null, let_pass = true
    where month = ${of.month} and account_id = ${of.accountId} and not done and parked_reason is not null`)
  return written === 1
}

export interface ParkedRow {
  readonly month: Month
  readonly accountId: string
  readonly reason: string
}

export async function selectParked(tx: Transaction, month: Month | undefined): Promise<ParkedRow[]> {
  return await tx.rows<ParkedRow>(sql`
    select month, account_id as "accountId", parked_reason as reason from month_close_claim
    where not done and parked_reason is not null ${month === undefined ? empty : sql`and month = ${month}`}
    order by month, account_id`)
}

export interface ClaimCounts {
  readonly done: number
  readonly open: number
  readonly parked: number
}

export async function countClaims(tx: Transaction, month: Month): Promise<ClaimCounts> {
  return await tx.one<ClaimCounts>(sql`
    select count(*) filter (where done)::integer as done,
      count(*) filter (where not done and parked_reason is null)::integer as open,
      count(*) filter (where not done and parked_reason is not null)::integer as parked
    from month_close_claim where month = ${month}`)
}

/** Finishes the close unless a claim is open. */
export async function finishClose(tx: Transaction, month: Month): Promise<void> {
  await tx.run(sql`
    update month_close set finished_at = ${tx.now}
    where month = ${month} and finished_at is null and not exists (
      select 1 from month_close_claim where month = ${month} and not done and parked_reason is null)`)
}

/** Closes the accounts' month: the row is the authority. @returns those that were not closed before */
export async function insertAccountMonths(
  tx: Transaction,
  month: Month,
  accountIds: readonly string[],
): Promise<string[]> {
  const rows = await tx.rows<{ accountId: string }>(sql`
    insert into account_month (account_id, month, closed_at)
    select account_id, ${month}, ${tx.now} from unnest(${accountIds}::text[]) as claimed (account_id)
    on conflict (account_id, month) do nothing returning account_id as "accountId"`)
  return rows.map((row) => row.accountId)
}

export async function selectSubscriptions(
  tx: Transaction,
  accountIds: readonly string[],
  before: Date,
): Promise<BilledSubscription[]> {
  return await tx.rows<BilledSubscription>(sql`
    select account_id as "accountId", subscription_id as "subscriptionId", product_code as "productCode",
      seller_account_id as "sellerAccountId", state, created_at as "createdAt", activated_at as "activatedAt"
    from subscription
    where account_id = any(${accountIds}::text[]) and created_at < ${before} and state <> 'failed'`)
}

/** Months for which monthly charges of these subscriptions are on bills. */
export async function selectChargedMonths(
  tx: Transaction,
  subscriptions: readonly BilledSubscription[],
): Promise<{ subscriptionId: string; month: Month }[]> {
  return await tx.rows(sql`
    select subscription_id as "subscriptionId", month from invoice_line
    where kind = 'monthly' and account_id = any(${subscriptions.map((s) => s.accountId)}::text[])
      and subscription_id = any(${subscriptions.map((s) => s.subscriptionId)}::uuid[])`)
}

/**
 * Bills below the minimum that wait for one that collects them, locked. The bill of a sign-up that is still being vetted
 * waits on: it may yet be void.
 */
export async function lockCarried(
  tx: Transaction,
  accountIds: readonly string[],
): Promise<{ accountId: string; invoiceId: string; currency: Currency; total: bigint }[]> {
  return await tx.rows(sql`
    select account_id as "accountId", invoice_id as "invoiceId", currency, total from invoice
    where account_id = any(${accountIds}::text[]) and state = 'carried' and carried_into is null
      and not exists (
        select from subscription where subscription.account_id = invoice.account_id
          and subscription.subscription_id = invoice.subscription_id and subscription.state = 'pending')
    order by account_id, issued_at, invoice_id for update`)
}

export async function updateCarriedInto(
  tx: Transaction,
  carried: readonly { accountId: string; invoiceId: string; into: string }[],
): Promise<void> {
  if (carried.length === 0) return
  await tx.run(sql`
    update invoice set carried_into = target.carried_into
    from unnest(${carried.map((c) => c.accountId)}::text[], ${carried.map((c) => c.invoiceId)}::uuid[],
                ${carried.map((c) => c.into)}::uuid[]) as target (account_id, invoice_id, carried_into)
    where invoice.account_id = target.account_id and invoice.invoice_id = target.invoice_id
      and invoice.state = 'carried' and invoice.carried_into is null`)
}

export async function insertSubscriptionMonths(
  tx: Transaction,
  month: Month,
  rows: readonly { accountId: string; subscriptionId: string; invoiceId: string | null }[],
): Promise<void> {
  if (rows.length === 0) return
  await tx.run(sql`
    insert into subscription_month (account_id, subscription_id, month, invoice_id, billed_at)
    select account_id, subscription_id, ${month}, invoice_id, ${tx.now}
    from unnest(${rows.map((r) => r.accountId)}::text[], ${rows.map((r) => r.subscriptionId)}::uuid[],
                ${rows.map((r) => r.invoiceId)}::uuid[]) as billed (account_id, subscription_id, invoice_id)`)
}

/** The database's own time, for comparing with when its transactions began. */
export async function selectServerTime(tx: Transaction): Promise<string> {
  return (await tx.one<{ at: string }>(sql`select clock_timestamp()::text as at`)).at
}

/**
 * Our transactions that began before an instant of the database's own time and may still write. One that has not written
 * within five seconds is taken for a reader (a report), which a close need not wait for; nor for one that waits for its turn
 * (an advisory lock) before it has done anything.
 */
export async function countTransactionsBefore(tx: Transaction, at: string): Promise<number> {
  const { count } = await tx.one<{ count: number }>(sql`
    select count(*)::integer as count from pg_stat_activity
    where datname = current_database() and application_name = 'turnpike' and pid <> pg_backend_pid()
      and state <> 'idle' and xact_start < ${at}::timestamptz
      and (backend_xid is not null
        or (xact_start > clock_timestamp() - interval '5 seconds' and wait_event is distinct from 'advisory'))`)
  return count
}

export async function isClosed(tx: Transaction, accountId: string, month: Month): Promise<boolean> {
  const row = await tx.first(sql`select 1 from account_month where account_id = ${accountId} and month = ${month}`)
  return row !== undefined
}
