import type { Transaction } from '../database/database.ts'
import type { AccessKey } from './accounts.ts'
import { selectAccessKeys } from './store.ts'

/** An account's access keys, oldest first, without their secrets. */
export async function listAccessKeys(tx: Transaction, accountId: string): Promise<AccessKey[]> {
  return await selectAccessKeys(tx, accountId)
}
