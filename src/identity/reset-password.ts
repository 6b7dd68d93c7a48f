/** A forgotten password: a link by mail, good for an hour and once, that sets another and ends every session. */
import { randomBytes } from 'node:crypto'
import { hashPassword } from 'better-auth/crypto'
import { parseEmail } from '../accounts/create-account.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { publicUrlOf } from '../base/config.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Database, Transaction } from '../database/database.ts'
import { writeMail } from '../notices/write-mail.ts'
import { linkIsSpent, requirePassword, resetLinkLengthS, type Person } from './identity.ts'
import type { AttemptLimit } from './limit-attempts.ts'
import {
  insertLink,
  removeResetLinks,
  replacePassword,
  selectAccountIdOf,
  selectPerson,
  selectPersonByEmail,
  takeLink,
} from './store.ts'

/**
 * Sends the link. An address without an account gets a mail that says so, and the answer here is the same: who asks learns nothing,
 * who forgot which address it was learns it.
 *
 * @throws Fault InvalidParameter when it is no address, LimitExceeded
 */
export async function requestPasswordReset(
  db: Database,
  limit: AttemptLimit,
  form: { email: string; address?: string },
): Promise<void> {
  const email = parseEmail(form.email)
  await limit.take('password-reset', email, form.address)
  const token = randomBytes(32).toString('base64url')
  await db.transaction(async (tx) => {
    const person = await selectPersonByEmail(tx, email)
    if (person === undefined) await writeNoAccount(tx, token, email)
    else await writeResetLink(tx, token, person)
  })
}

/**
 * Sets another password by the link's token. Every session of the person and every other reset link ends, and the person is told.
 *
 * @throws Fault InvalidParameter when the password is too short or long, or the link was used or is over an hour old
 */
export async function resetPassword(db: Database, form: { token: string; password: string }): Promise<void> {
  requirePassword(form.password)
  const passwordHash = await hashPassword(form.password)
  const tokenSha256 = sha256Hex(form.token)
  await db.transaction(async (tx) => {
    const personId = await takeLink(tx, 'password-reset', tokenSha256)
    const person = personId === undefined ? undefined : await selectPerson(tx, personId)
    if (person === undefined) throw linkIsSpent('Ask for another one on the sign-in page.')
    await removeResetLinks(tx, person.personId)
    await replacePassword(tx, person.personId, passwordHash)
    const accountId = await selectAccountIdOf(tx, person.personId)
    if (accountId !== undefined) {
      await recordAudit(tx, { accountId, actor: accountId, action: 'person.reset-password', subject: person.personId })
    }
    await writeMail(tx, {
      reference: `password-changed:${tokenSha256}`,
      kind: 'password-changed',
      ...(accountId === undefined ? {} : { accountId }),
      recipient: person.email,
      subject: 'Your password was changed',
      paragraphs: [
        'The password of your account was changed by a link sent to this address, and every browser that was signed in is signed out.',
        'If it was not you, someone reads your mail: secure your mailbox first, then set another password.',
      ],
      action: { label: 'Sign in', url: `${publicUrlOf(tx.config)}/sign-in` },
    })
  })
}

async function writeResetLink(tx: Transaction, token: string, person: Person): Promise<void> {
  const tokenSha256 = sha256Hex(token)
  await insertLink(tx, {
    kind: 'password-reset',
    tokenSha256,
    value: person.personId,
    lengthS: resetLinkLengthS,
  })
  await writeMail(tx, {
    reference: `password-reset:${tokenSha256}`,
    kind: 'password-reset',
    recipient: person.email,
    subject: 'Set another password',
    paragraphs: [
      'Someone, hopefully you, asked to set another password for the account of this e-mail address. Open the link within an hour to do it.',
      'If it was not you, there is nothing to do: your password is as it was.',
    ],
    action: { label: 'Set another password', url: `${publicUrlOf(tx.config)}/reset-password?token=${token}` },
  })
}

async function writeNoAccount(tx: Transaction, token: string, email: string): Promise<void> {
  await writeMail(tx, {
    reference: `password-reset:${sha256Hex(token)}`,
    kind: 'no-account',
    recipient: email,
    subject: 'There is no account for this address',
    paragraphs: [
      'Someone, perhaps you, asked to set another password for the account of this e-mail address. There is none: perhaps you signed up with another address.',
      'If it was not you, there is nothing to do.',
    ],
    action: { label: 'Sign up', url: `${publicUrlOf(tx.config)}/sign-up` },
  })
}
