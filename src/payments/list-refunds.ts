/** What a buyer was given back. */
import type { Transaction } from '../database/database.ts'
import type { Refund } from './payments.ts'
import { selectRefunds } from './store.ts'

/** The refunds of a bill, or of a subscription; latest first. */
export async function listRefunds(
  tx: Transaction,
  of: { accountId: string } & ({ invoiceId: string } | { subscriptionId: string }),
): Promise<Refund[]> {
  return await selectRefunds(tx, of)
}
