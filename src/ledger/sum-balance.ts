/** Balances are sums over transfers: there is no balance column that every sale would have to lock. */
import type { Amount, Currency } from '../base/money.ts'
import type { Transaction } from '../database/database.ts'
import { selectReceivable, selectSellerBalances } from './store.ts'

/** What Turnpike holds for a seller in one currency, in minor units; negative when the seller owes. */
export async function sellerBalance(
  tx: Transaction,
  of: { sellerAccountId: string; currency: Currency },
): Promise<bigint> {
  const balances = await selectSellerBalances(tx, of.sellerAccountId)
  return balances.find((balance) => balance.currency === of.currency)?.minor ?? 0n
}

/** A seller's balance in every currency they ever had one in. */
export async function sellerBalances(tx: Transaction, of: { sellerAccountId: string }): Promise<Amount[]> {
  return await selectSellerBalances(tx, of.sellerAccountId)
}

/** What a buyer owes for bills not yet collected, one amount per currency in which anything is owed. */
export async function receivable(tx: Transaction, of: { accountId: string }): Promise<Amount[]> {
  return (await selectReceivable(tx, of.accountId)).filter((amount) => amount.minor !== 0n)
}
