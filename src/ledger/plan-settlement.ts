/** Plans the settlement of what a posting changed: for the next UTC day, when cost and percentage are charged (spec §7). */
import { startOfNextDay } from '../base/time.ts'
import type { Month } from '../base/period.ts'
import { sql, type Transaction } from '../database/database.ts'

export interface SettlementSubject {
  readonly accountId: string
  readonly productCode: string
  readonly month: Month
}

/**
 * Has each (buyer, product, month) settled on the next UTC day, in this transaction. Planning twice is planning once: a
 * plan that stands is never postponed.
 */
export async function planSettlement(tx: Transaction, subjects: readonly SettlementSubject[]): Promise<void> {
  if (subjects.length === 0) return
  // In key order, so that two transactions planning the same subjects wait for each other instead of deadlocking.
  await tx.run(sql`
    insert into settlement_due (account_id, product_code, month, due_at)
    select distinct s.account_id, s.product_code, s.month, ${startOfNextDay(tx.now)}::timestamptz
      from unnest(${subjects.map((s) => s.accountId)}::text[], ${subjects.map((s) => s.productCode)}::text[],
                  ${subjects.map((s) => s.month)}::text[]) as s (account_id, product_code, month)
     order by 1, 2, 3
    on conflict (account_id, product_code, month) do update set due_at = least(settlement_due.due_at, excluded.due_at)`)
}
