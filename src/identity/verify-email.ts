import { timingSafeEqual } from 'node:crypto'
import { verifyPassword } from 'better-auth/crypto'
import { publicUrlOf } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Database } from '../database/database.ts'
import { addPerson } from './add-person.ts'
import { linkIsSpent, type PendingSignUp, type RequestHeaders } from './identity.ts'
import type { AttemptLimit } from './limit-attempts.ts'
import type { Sessions } from './sessions.ts'
import { clearSignUpCookie, readSignUpCookie } from './sign-up-cookie.ts'
import { selectSignUp, takeLink } from './store.ts'

/** The link of a sign-up, opened. */
export interface OpenedLink {
  readonly token: string
  readonly headers: RequestHeaders
  /** Asked for where the link is opened in another browser than the sign-up's. */
  readonly password?: string
  readonly address?: string
}

/** What came of it. */
export interface Verified {
  /** False: nothing happened yet; the page asks for the password of the sign-up and sends it with the same token. */
  readonly verified: boolean
  readonly setCookies: string[]
  /** Local path. */
  readonly continueTo: string
}

/**
 * Completes a sign-up: makes the person and the account, and signs in. Once for each link.
 *
 * Opening the link is not enough by itself, since a stranger may have signed up with the address, with the stranger's
 * password: the browser must be the one of the sign-up, or the password of the sign-up be given. (A mail scanner that opens every
 * link completes nothing, too.)
 *
 * @throws Fault InvalidParameter when the link was used or is over a day old, Unauthenticated when the password is another,
 *   Conflict when the address got an account by another link, LimitExceeded after ten wrong passwords in an hour
 */
export async function verifyEmail(
  db: Database,
  sessions: Sessions,
  limit: AttemptLimit,
  opened: OpenedLink,
): Promise<Verified> {
  const tokenSha256 = sha256Hex(opened.token)
  const pending = await db.read((tx) => selectSignUp(tx, tokenSha256))
  if (pending === undefined) throw spent()
  const secure = publicUrlOf(db.config).startsWith('https://')
  if (!isSameBrowser(secure, opened.headers, pending)) {
    if (opened.password === undefined) return { verified: false, setCookies: [], continueTo: pending.continueTo }
    await limit.take('confirm-sign-up', tokenSha256, opened.address)
    if (!(await verifyPassword({ hash: pending.passwordHash, password: opened.password }))) {
      throw new Fault('Unauthenticated', 'This is not the password given when signing up with this address.')
    }
  }
  const added = await db.transaction(async (tx) => {
    if ((await takeLink(tx, 'sign-up', tokenSha256)) === undefined) throw spent()
    return await addPerson(tx, pending)
  })
  if (added === undefined) {
    throw new Fault('Conflict', 'This address has an account already, made by another link. Sign in with its password.')
  }
  const cookies = await sessions.begin(added.person.personId, opened.headers, opened.address)
  return { verified: true, setCookies: [...cookies, clearSignUpCookie(secure)], continueTo: pending.continueTo }
}

function isSameBrowser(secure: boolean, headers: RequestHeaders, pending: PendingSignUp): boolean {
  const browser = readSignUpCookie(secure, headers)
  if (browser === undefined) return false
  return timingSafeEqual(Buffer.from(sha256Hex(browser)), Buffer.from(pending.browserSha256))
}

function spent(): Fault {
  return linkIsSpent('If the address was confirmed before, sign in; otherwise sign up again.')
}
