/** What may be shown of the card a buyer is charged on. */
import type { Transaction } from '../database/database.ts'
import type { Card } from './processor.ts'
import { selectCard } from './store.ts'

export async function findCard(
  tx: Transaction,
  accountId: string,
): Promise<(Card & { customerId: string }) | undefined> {
  return await selectCard(tx, accountId)
}
