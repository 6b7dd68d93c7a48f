/** The SQL of payouts. */
import type { Amount, Currency } from '../base/money.ts'
import { sql, type Transaction } from '../database/database.ts'

export interface Payout {
  readonly sellerAccountId: string
  readonly payoutNumber: number
  readonly currency: Currency
  /** Minor units. */
  readonly amount: bigint
  readonly state: 'started' | 'paid' | 'failed'
  readonly processorTransferId: string | null
  readonly failureMessage: string | null
  readonly startedAt: Date
  readonly settledAt: Date | null
}

const payoutColumns = sql`
  seller_account_id as "sellerAccountId", payout_number as "payoutNumber", currency, amount, state,
  processor_transfer_id as "processorTransferId", failure_message as "failureMessage", started_at as "startedAt",
  settled_at as "settledAt"`

/** Sellers with a verified bank account whose balance in some currency reaches the minimum. */
export async function selectPayableSellers(tx: Transaction, minimum: bigint): Promise<string[]> {
  const rows = await tx.rows<{ sellerAccountId: string }>(sql`
    select distinct seller_account_id as "sellerAccountId" from (
      select transfer.seller_account_id
      from transfer join seller using (seller_account_id)
      where seller.bank_account_verified and 'seller-balance' in (transfer.debit, transfer.credit)
      group by transfer.seller_account_id, transfer.currency
      having sum(case when credit = 'seller-balance' then amount else -amount end) >= ${minimum}
    ) as payable order by 1`)
  return rows.map((row) => row.sellerAccountId)
}

/** Locks the seller, so that only one payout of theirs is made at a time. @returns whether they may be paid */
export async function lockPayableSeller(tx: Transaction, sellerAccountId: string): Promise<boolean> {
  const row = await tx.first<{ verified: boolean }>(sql`
    select bank_account_verified as verified from seller where seller_account_id = ${sellerAccountId} for update`)
  return row?.verified === true
}

export async function insertPayout(
  tx: Transaction,
  sellerAccountId: string,
  { minor, currency }: Amount,
): Promise<Payout | undefined> {
  return await tx.first<Payout>(sql`
    insert into payout (seller_account_id, payout_number, currency, amount, state, started_at)
    select ${sellerAccountId}, coalesce(max(payout_number), 0) + 1, ${currency}, ${minor}::bigint, 'started', ${tx.now}
    from payout where seller_account_id = ${sellerAccountId}
    on conflict (seller_account_id, currency) where state = 'started' do nothing
    returning ${payoutColumns}`)
}

export async function selectPayout(
  tx: Transaction,
  of: { sellerAccountId: string; payoutNumber: number },
): Promise<Payout | undefined> {
  return await tx.first<Payout>(sql`
    select ${payoutColumns} from payout
    where seller_account_id = ${of.sellerAccountId} and payout_number = ${of.payoutNumber}`)
}

export async function selectPayouts(
  tx: Transaction,
  of: { sellerAccountId: string; before: number | undefined; limit: number },
): Promise<Payout[]> {
  return await tx.rows<Payout>(sql`
    select ${payoutColumns} from payout
    where seller_account_id = ${of.sellerAccountId}
      and payout_number < coalesce(${of.before ?? null}::integer, 2147483647)
    order by payout_number desc limit ${of.limit}`)
}

/** started → paid or failed. False when it was settled before. */
export async function settlePayout(
  tx: Transaction,
  of: { sellerAccountId: string; payoutNumber: number },
  outcome: { state: 'paid'; transferId: string } | { state: 'failed'; message: string },
): Promise<boolean> {
  const transferId = outcome.state === 'paid' ? outcome.transferId : null
  const message = outcome.state === 'failed' ? outcome.message : null
  const written = await tx.run(sql`
    update payout set state = ${outcome.state}, processor_transfer_id = ${transferId}, failure_message = ${message},
      settled_at = ${tx.now}
    where seller_account_id = ${of.sellerAccountId} and payout_number = ${of.payoutNumber} and state = 'started'`)
  return written === 1
}

/** The day of the last run, and the first seller's first day: payouts are due from the Monday after either. */
export async function selectPayoutRuns(tx: Transaction): Promise<{ lastDay: string | null; firstSeller: Date | null }> {
  return await tx.one(sql`
    select (select max(day) from payout_run) as "lastDay", (select min(created_at) from seller) as "firstSeller"`)
}

export async function insertPayoutRun(tx: Transaction, day: string): Promise<void> {
  await tx.run(sql`insert into payout_run (day, finished_at) values (${day}, ${tx.now}) on conflict do nothing`)
}
