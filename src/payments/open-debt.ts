/** What a buyer owes of bills whose every planned attempt failed: to be paid before subscribing again (spec §6). */
import type { Amount } from '../base/money.ts'
import type { Transaction } from '../database/database.ts'
import { unpaidTotals } from './store.ts'

/** @returns one amount per currency, none when nothing is owed */
export async function openDebt(tx: Transaction, accountId: string): Promise<Amount[]> {
  return await unpaidTotals(tx, accountId)
}
