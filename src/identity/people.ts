/** Everything a page needs to let people in: one object, made once by `src/main.ts`. */
import { findAccount } from '../accounts/find-account.ts'
import { parseEmail } from '../accounts/create-account.ts'
import { Fault } from '../base/fault.ts'
import type { Database } from '../database/database.ts'
import type { RequestHeaders, SignedIn } from './identity.ts'
import { limitAttempts, noLimit } from './limit-attempts.ts'
import { requestPasswordReset, resetPassword } from './reset-password.ts'
import { openSessions, wrongCredentials } from './sessions.ts'
import { signUp, type SignUp } from './sign-up.ts'
import { selectAccountIdOf } from './store.ts'
import { verifyEmail, type OpenedLink, type Verified } from './verify-email.ts'

/** What a sign-in form holds. */
export interface SignIn {
  readonly email: string
  readonly password: string
  readonly headers: RequestHeaders
  /** The client's address, for the limit of attempts. */
  readonly address?: string
}

/** `setCookies` are whole values of `Set-Cookie` headers, each to be sent as one. */
export interface People {
  signUp(form: SignUp): Promise<{ setCookies: string[] }>
  verifyEmail(opened: OpenedLink): Promise<Verified>
  /**
   * Begins a new session, always; the one the browser had ends.
   *
   * @throws Fault Unauthenticated, alike whatever is wrong; LimitExceeded
   */
  signIn(form: SignIn): Promise<{ setCookies: string[] }>
  /** Ends the session, if there is one. */
  signOut(headers: RequestHeaders): Promise<{ setCookies: string[] }>
  requestPasswordReset(form: { email: string; address?: string }): Promise<void>
  resetPassword(form: { token: string; password: string }): Promise<void>
  /** Who sent the request, if it has the cookie of a session that is alive. */
  sessionOf(headers: RequestHeaders): Promise<SignedIn | undefined>
  /** Ends the connections of sign-in; the database's own pool is not touched. */
  close(): Promise<void>
}

/** @param options.limitAttempts false where attempts are not counted: measurements, tests of other things */
export function createPeople(db: Database, options: { limitAttempts?: boolean } = {}): People {
  const sessions = openSessions(db)
  const limit = options.limitAttempts === false ? noLimit : limitAttempts(db)
  return {
    signUp: (form) => signUp(db, limit, form),
    verifyEmail: (opened) => verifyEmail(db, sessions, limit, opened),
    async signIn({ email, password, headers, address }) {
      const known = readEmail(email)
      await limit.take('sign-in', known, address)
      const setCookies = await sessions.signIn({ email: known, password }, headers, address)
      await limit.clear('sign-in', known)
      await sessions.end(headers)
      return { setCookies }
    },
    signOut: async (headers) => ({ setCookies: await sessions.end(headers) }),
    requestPasswordReset: (form) => requestPasswordReset(db, limit, form),
    resetPassword: (form) => resetPassword(db, form),
    async sessionOf(headers) {
      const person = await sessions.read(headers)
      if (person === undefined) return undefined
      const account = await db.read(async (tx) => {
        const accountId = await selectAccountIdOf(tx, person.personId)
        return accountId === undefined ? undefined : await findAccount(tx, accountId)
      })
      return account && { ...person, account }
    },
    close: () => sessions.close(),
  }
}

/** What is no address belongs to nobody: the answer is the one for a wrong password. */
function readEmail(email: string): string {
  try {
    return parseEmail(email)
  } catch (error) {
    throw error instanceof Fault ? wrongCredentials() : error
  }
}
