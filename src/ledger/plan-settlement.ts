/** Plans the settlement of what a posting changed: for the next UTC day, when cost and percentage are charged (spec §7). */
import { startOfNextDay } from '../base/time.ts'
import type { Month } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { upsertSettlementDue } from './store.ts'

/** A buyer's month of a product: the unit that is settled. */
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
  if (subjects.length > 0) await upsertSettlementDue(tx, subjects, startOfNextDay(tx.now))
}
