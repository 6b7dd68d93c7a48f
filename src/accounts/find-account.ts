import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { systemActor, type Account } from './accounts.ts'
import { selectAccount, selectAccounts, selectHasOperator } from './store.ts'

const pageSize = 100

export async function findAccount(tx: Transaction, accountId: string): Promise<Account | undefined> {
  return await selectAccount(tx, accountId)
}

/** @throws Fault NotFound when there is no such account */
export async function requireAccount(tx: Transaction, accountId: string): Promise<Account> {
  const account = await selectAccount(tx, accountId)
  if (account === undefined) throw noSuchAccount(accountId)
  return account
}

/**
 * Accounts in order of their numbers.
 *
 * @param page.after continue behind this account
 * @param page.limit accounts at the most, 100 unless told
 */
export async function listAccounts(tx: Transaction, page: { after?: string; limit?: number } = {}): Promise<Account[]> {
  return await selectAccounts(tx, page.after ?? '', page.limit ?? pageSize)
}

/** Whether any account operates the service; a new service has none until the command line makes one. */
export async function hasOperator(tx: Transaction): Promise<boolean> {
  return await selectHasOperator(tx)
}

/**
 * Refuses everyone but operators, and the system itself.
 *
 * @param actor an account id, or `system`
 * @throws Fault Forbidden
 */
export async function requireOperator(tx: Transaction, actor: string): Promise<void> {
  if (actor === systemActor) return
  if ((await selectAccount(tx, actor))?.operator === true) return
  throw new Fault('Forbidden', 'Only an operator may do this. Ask an operator of this service.')
}

export function noSuchAccount(accountId: string): Fault {
  return new Fault('NotFound', `There is no account ${accountId}; an account has twelve digits.`)
}
