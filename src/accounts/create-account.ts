import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import { newAccountId } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import type { Account } from './accounts.ts'
import { insertAccount } from './store.ts'

const nameLengthMax = 200
/** RFC 5321: the longest address a mail server has to take. */
const emailLengthMax = 254

const emailForm = z.email().max(emailLengthMax)

/**
 * Makes an account with a number nobody has.
 *
 * @param account.emailVerified whether its person proved to read mail there; default no
 * @throws Fault InvalidParameter when the name is empty or too long, or the e-mail is no address
 */
export async function createAccount(
  tx: Transaction,
  account: { name: string; email: string; operator?: boolean; emailVerified?: boolean },
): Promise<Account> {
  const wanted = {
    name: parseName(account.name),
    email: parseEmail(account.email),
    emailVerified: account.emailVerified ?? false,
    operator: account.operator ?? false,
    createdAt: tx.now,
  }
  for (;;) {
    const created = await insertAccount(tx, { ...wanted, accountId: newAccountId() })
    if (created !== undefined) return created
  }
}

/** @throws Fault InvalidParameter when it is empty, too long or holds control characters */
export function parseName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > nameLengthMax || /\p{Cc}/u.test(name)) {
    throw new Fault('InvalidParameter', `A name has 1 to ${nameLengthMax} characters on one line.`, {
      data: { parameter: 'name' },
    })
  }
  return name
}

/**
 * Reads an e-mail address; upper and lower case are one address.
 *
 * @throws Fault InvalidParameter when it is none
 */
export function parseEmail(text: string): string {
  const result = emailForm.safeParse(text.trim().toLowerCase())
  if (result.success) return result.data
  throw new Fault('InvalidParameter', 'This is not an e-mail address; write it as name@example.com.', {
    data: { parameter: 'email' },
  })
}
