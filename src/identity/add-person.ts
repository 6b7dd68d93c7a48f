import type { Account } from '../accounts/accounts.ts'
import { createAccount } from '../accounts/create-account.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import type { Transaction } from '../database/database.ts'
import type { Person } from './identity.ts'
import { insertMember, insertPerson } from './store.ts'

/**
 * A verified person with the password and the one account that belongs to the person, in one transaction.
 *
 * @returns undefined when the address has a person already
 */
export async function addPerson(
  tx: Transaction,
  wanted: { email: string; name: string; passwordHash: string; operator?: boolean; actor?: string },
): Promise<{ person: Person; account: Account } | undefined> {
  const person = await insertPerson(tx, wanted)
  if (person === undefined) return undefined
  const { email, name } = person
  const account = await createAccount(tx, { email, name, emailVerified: true, operator: wanted.operator ?? false })
  const { accountId, operator } = account
  await insertMember(tx, accountId, person.personId)
  await recordAudit(tx, {
    accountId,
    actor: wanted.actor ?? accountId,
    action: 'account.create',
    subject: person.personId,
    detail: { email, operator },
  })
  return { person, account }
}
