/** Accounts whose month could not be closed: what a person sees, and clears. */
import { Fault } from '../base/fault.ts'
import type { Month } from '../base/period.ts'
import type { Database, Transaction } from '../database/database.ts'
import { closeMonth, type MonthClosed } from './close-month.ts'
import { releaseClaim, selectParked, type ParkedRow } from './close-store.ts'

/** The parked accounts with their reasons, of one month or of all. */
export async function listParked(tx: Transaction, of: { month?: Month } = {}): Promise<ParkedRow[]> {
  return await selectParked(tx, of.month)
}

/**
 * A person has dealt with the reason, or lets an unusually large bill pass: the account's month is closed now. It is parked
 * again when it fails again.
 *
 * @throws Fault NotFound when the account is not parked
 */
export async function releaseParked(database: Database, of: { month: Month; accountId: string }): Promise<MonthClosed> {
  if (!(await database.transaction((tx) => releaseClaim(tx, of)))) {
    throw new Fault('NotFound', `Account ${of.accountId} is not parked in the close of ${of.month}.`)
  }
  return await closeMonth(database, { month: of.month, workers: 1 })
}
