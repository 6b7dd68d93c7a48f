/** The rows of subscriptions and activation keys. */
import type { Month } from '../base/period.ts'
import { monthPeriod } from '../base/period.ts'
import { empty, join, sql, type Sql, type Transaction } from '../database/database.ts'
import type { CancelReason, EndReason, RowLock, Subscription, SubscriptionState } from './subscriptions.ts'

interface SubscriptionRow {
  account_id: string
  subscription_id: string
  product_code: string
  seller_account_id: string
  state: SubscriptionState
  end_reason: EndReason | null
  created_at: Date
  activated_at: Date | null
  ended_at: Date | null
  end_of_access_due_at: Date | null
}

const columns = sql`account_id, subscription_id, product_code, seller_account_id, state, end_reason, created_at,
  activated_at, ended_at, end_of_access_due_at`

/** Names of one buyer's one subscription. */
export interface SubscriptionReference {
  readonly accountId: string
  readonly subscriptionId: string
}

/**
 * Writes a pending subscription unless the buyer has a live one of the product. Waits for an order of the same product
 * under way, and then sees what became of it.
 */
export async function insertPending(
  tx: Transaction,
  subscription: SubscriptionReference & { productCode: string; sellerAccountId: string },
): Promise<Subscription | undefined> {
  const row = await tx.first<SubscriptionRow>(sql`
    insert into subscription (account_id, subscription_id, product_code, seller_account_id, state, created_at)
      values (${subscription.accountId}, ${subscription.subscriptionId}, ${subscription.productCode},
        ${subscription.sellerAccountId}, 'pending', ${tx.now})
      on conflict (account_id, product_code) where state in ('pending', 'active') do nothing
      returning ${columns}`)
  return row && toSubscription(row)
}

/** pending → active. Undefined when it was not pending. */
export async function setActive(tx: Transaction, of: SubscriptionReference): Promise<Subscription | undefined> {
  const row = await tx.first<SubscriptionRow>(sql`
    update subscription set state = 'active', activated_at = ${tx.now}
     where account_id = ${of.accountId} and subscription_id = ${of.subscriptionId} and state = 'pending'
     returning ${columns}`)
  return row && toSubscription(row)
}

/** pending → failed. Undefined when it was not pending. */
export async function setFailed(tx: Transaction, of: SubscriptionReference): Promise<Subscription | undefined> {
  const row = await tx.first<SubscriptionRow>(sql`
    update subscription set state = 'failed', end_reason = 'payment-refused', ended_at = ${tx.now}
     where account_id = ${of.accountId} and subscription_id = ${of.subscriptionId} and state = 'pending'
     returning ${columns}`)
  return row && toSubscription(row)
}

/** active → cancelled. Undefined when it was not active. */
export async function setCancelled(
  tx: Transaction,
  change: SubscriptionReference & { reason: CancelReason; endOfAccessDueAt: Date | undefined },
): Promise<Subscription | undefined> {
  const row = await tx.first<SubscriptionRow>(sql`
    update subscription set state = 'cancelled', end_reason = ${change.reason}, ended_at = ${tx.now},
           end_of_access_due_at = ${change.endOfAccessDueAt ?? null}
     where account_id = ${change.accountId} and subscription_id = ${change.subscriptionId} and state = 'active'
     returning ${columns}`)
  return row && toSubscription(row)
}

export async function selectSubscription(
  tx: Transaction,
  of: SubscriptionReference,
  lock?: RowLock,
): Promise<Subscription | undefined> {
  const row = await tx.first<SubscriptionRow>(sql`
    select ${columns} from subscription
     where account_id = ${of.accountId} and subscription_id = ${of.subscriptionId} ${locking(lock)}`)
  return row && toSubscription(row)
}

/**
 * The live subscription of a buyer and product, found by the index that allows one. With a lock it waits for a change
 * under way; a row that is no longer live after it is not returned.
 */
export async function selectLive(
  tx: Transaction,
  of: { accountId: string; productCode: string; lock?: RowLock | undefined },
): Promise<Subscription | undefined> {
  const row = await tx.first<SubscriptionRow>(sql`
    select ${columns} from subscription
     where account_id = ${of.accountId} and product_code = ${of.productCode} and state in ('pending', 'active')
     ${locking(of.lock)}`)
  return row && toSubscription(row)
}

/** How the buyer's latest subscription of the product ended, and whether the buyer has a debt: an unpaid bill. */
export async function selectRefusal(
  tx: Transaction,
  of: { accountId: string; productCode: string },
): Promise<{ endReason: EndReason | undefined; inDebt: boolean }> {
  // Bills belong to a later room; whether one is unpaid is asked here all the same, since a launch is refused with it.
  const row = await tx.one<{ end_reason: EndReason | null; in_debt: boolean }>(sql`
    select (select end_reason from subscription
             where account_id = ${of.accountId} and product_code = ${of.productCode}
             order by created_at desc, ended_at desc limit 1) as end_reason,
           exists (select from invoice where account_id = ${of.accountId} and state = 'unpaid') as in_debt`)
  return { endReason: row.end_reason ?? undefined, inDebt: row.in_debt }
}

export async function selectOfAccount(
  tx: Transaction,
  { accountId, after, limit }: { accountId: string; after?: string | undefined; limit?: number },
): Promise<Subscription[]> {
  const behind =
    after === undefined
      ? empty
      : sql`and (created_at, subscription_id) > (
          select created_at, subscription_id from subscription where account_id = ${accountId} and subscription_id = ${after})`
  const rows = await tx.rows<SubscriptionRow>(sql`
    select ${columns} from subscription where account_id = ${accountId} ${behind}
     order by created_at, subscription_id ${limit === undefined ? empty : sql`limit ${limit}`}`)
  return rows.map(toSubscription)
}

export async function selectOfProduct(
  tx: Transaction,
  query: {
    productCode: string
    states: readonly SubscriptionState[]
    after?: SubscriptionReference | undefined
    limit: number
  },
): Promise<Subscription[]> {
  const conditions: Sql[] = [sql`product_code = ${query.productCode}`, sql`state = any(${[...query.states]}::text[])`]
  if (query.after !== undefined) {
    conditions.push(sql`(created_at, account_id, subscription_id) > (
      select created_at, account_id, subscription_id from subscription
       where account_id = ${query.after.accountId} and subscription_id = ${query.after.subscriptionId})`)
  }
  const rows = await tx.rows<SubscriptionRow>(sql`
    select ${columns} from subscription where ${join(conditions, ' and ')}
     order by created_at, account_id, subscription_id limit ${query.limit}`)
  return rows.map(toSubscription)
}

/** Figures of one product in a subscription report. */
export interface ReportRow {
  readonly productCode: string
  readonly subscribed: number
  readonly subscribedNew: number
  readonly cancelled: number
}

/** Counts a seller's subscriptions as they stood when the month ended, or stand now while it runs. */
export async function countForReport(
  tx: Transaction,
  query: { sellerAccountId: string; month: Month; productCode?: string | undefined },
): Promise<ReportRow[]> {
  const { start, end } = monthPeriod(query.month)
  const one = query.productCode === undefined ? empty : sql`and product_code = ${query.productCode}`
  const rows = await tx.rows<{
    product_code: string
    subscribed: bigint
    subscribed_new: bigint
    cancelled: bigint
  }>(sql`
    select product_code,
           count(*) filter (where ended_at is null or ended_at >= ${end}) as subscribed,
           count(*) filter (where (ended_at is null or ended_at >= ${end}) and activated_at >= ${start}) as subscribed_new,
           count(*) filter (where state = 'cancelled' and ended_at >= ${start} and ended_at < ${end}) as cancelled
      from subscription
     where seller_account_id = ${query.sellerAccountId} and activated_at < ${end} ${one}
     group by product_code`)
  return rows.map((row) => ({
    productCode: row.product_code,
    subscribed: Number(row.subscribed),
    subscribedNew: Number(row.subscribed_new),
    cancelled: Number(row.cancelled),
  }))
}

export async function insertActivationKey(
  tx: Transaction,
  key: SubscriptionReference & { productCode: string; sha256: string; expiresAt: Date },
): Promise<void> {
  await tx.run(sql`
    insert into activation_key (account_id, activation_key_sha256, subscription_id, product_code, created_at, expires_at)
      values (${key.accountId}, ${key.sha256}, ${key.subscriptionId}, ${key.productCode}, ${tx.now}, ${key.expiresAt})`)
}

function locking(lock: RowLock | undefined): Sql {
  if (lock === undefined) return empty
  return lock === 'share' ? sql`for share` : sql`for update`
}

function toSubscription(row: SubscriptionRow): Subscription {
  return {
    accountId: row.account_id,
    subscriptionId: row.subscription_id,
    productCode: row.product_code,
    sellerAccountId: row.seller_account_id,
    state: row.state,
    ...(row.end_reason === null ? {} : { endReason: row.end_reason }),
    createdAt: row.created_at,
    ...(row.activated_at === null ? {} : { activatedAt: row.activated_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.end_of_access_due_at === null ? {} : { endOfAccessDueAt: row.end_of_access_due_at }),
  }
}
