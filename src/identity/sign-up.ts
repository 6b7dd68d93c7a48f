import { randomBytes } from 'node:crypto'
import { hashPassword } from 'better-auth/crypto'
import { parseEmail, parseName } from '../accounts/create-account.ts'
import { publicUrlOf } from '../base/config.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Database, Transaction } from '../database/database.ts'
import { writeMail } from '../notices/write-mail.ts'
import { requirePassword, signUpLinkLengthS, type PendingSignUp } from './identity.ts'
import type { AttemptLimit } from './limit-attempts.ts'
import { localPath } from './local-path.ts'
import { signUpCookie } from './sign-up-cookie.ts'
import { insertLink, selectPersonByEmail } from './store.ts'

/** What a sign-up form holds. */
export interface SignUp {
  readonly email: string
  readonly password: string
  readonly name: string
  /** Local path to go on to when the link in the mail was opened; anything else is taken as `/`. */
  readonly continueTo?: string
  /** The client's address, for the limit of attempts. */
  readonly address?: string
}

/**
 * Begins a sign-up: a mail goes to the address, and nothing else exists until its link is opened. An address that has an
 * account gets another mail, and the answer is the same, in words, in cookies and nearly in time.
 *
 * @returns a cookie that marks this browser, in which the link works without the password
 * @throws Fault InvalidParameter, LimitExceeded
 */
export async function signUp(db: Database, limit: AttemptLimit, form: SignUp): Promise<{ setCookies: string[] }> {
  const [email, name] = [parseEmail(form.email), parseName(form.name)]
  requirePassword(form.password)
  await limit.take('sign-up', email, form.address)
  const token = randomBytes(32).toString('base64url')
  const browser = randomBytes(32).toString('base64url')
  const pending: PendingSignUp = {
    email,
    name,
    // Hashed also when there is an account already: it is what takes the time.
    passwordHash: await hashPassword(form.password),
    continueTo: localPath(form.continueTo),
    browserSha256: sha256Hex(browser),
  }
  await db.transaction(async (tx) => {
    const existing = await selectPersonByEmail(tx, email)
    if (existing === undefined) await writeConfirmation(tx, token, pending)
    else await writeHasAccount(tx, token, email)
  })
  return { setCookies: [signUpCookie(publicUrlOf(db.config).startsWith('https://'), browser)] }
}

async function writeConfirmation(tx: Transaction, token: string, pending: PendingSignUp): Promise<void> {
  const tokenSha256 = sha256Hex(token)
  const value = JSON.stringify(pending)
  await insertLink(tx, { kind: 'sign-up', tokenSha256, value, lengthS: signUpLinkLengthS })
  await writeMail(tx, {
    reference: `sign-up:${tokenSha256}`,
    kind: 'verify-email',
    recipient: pending.email,
    subject: 'Confirm your e-mail address',
    paragraphs: [
      'Someone, hopefully you, signed up with this e-mail address. Open the link within a day to confirm that the address is yours.',
      'If it was not you, there is nothing to do: without the link no account is made.',
    ],
    action: { label: 'Confirm the address', url: `${publicUrlOf(tx.config)}/verify-email?token=${token}` },
  })
}

async function writeHasAccount(tx: Transaction, token: string, email: string): Promise<void> {
  await writeMail(tx, {
    reference: `sign-up:${sha256Hex(token)}`,
    kind: 'has-account',
    recipient: email,
    subject: 'You already have an account',
    paragraphs: [
      'Someone, perhaps you, signed up with this e-mail address, which has an account already. Nothing was changed: sign in with the password you have.',
      'If you forgot it, the sign-in page lets you set another.',
    ],
    action: { label: 'Sign in', url: `${publicUrlOf(tx.config)}/sign-in` },
  })
}
