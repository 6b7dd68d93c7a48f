import { hashPassword } from 'better-auth/crypto'
import { systemActor, type Account } from '../accounts/accounts.ts'
import { parseEmail, parseName } from '../accounts/create-account.ts'
import { Fault } from '../base/fault.ts'
import type { Database } from '../database/database.ts'
import { addPerson } from './add-person.ts'
import { requirePassword } from './identity.ts'

/**
 * Makes a person with an account whose e-mail address counts as verified at once: for the command line on the operator's own
 * machine, which makes the first operator.
 *
 * @throws Fault InvalidParameter for what sign-up would refuse, Conflict when the address has an account
 */
export async function createPerson(
  db: Database,
  wanted: { email: string; password: string; name: string; operator?: boolean },
): Promise<{ account: Account; personId: string }> {
  const [email, name] = [parseEmail(wanted.email), parseName(wanted.name)]
  requirePassword(wanted.password)
  const passwordHash = await hashPassword(wanted.password)
  const operator = wanted.operator ?? false
  const added = await db.transaction((tx) => addPerson(tx, { email, name, passwordHash, operator, actor: systemActor }))
  if (added === undefined) throw new Fault('Conflict', `${email} has an account already.`)
  return { account: added.account, personId: added.person.personId }
}
