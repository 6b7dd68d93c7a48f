/** People: who signs in, and for which account. A person and that person's account are made when the e-mail is verified. */
import type { Account } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'

/** A person whose e-mail address is verified. */
export interface Person {
  readonly personId: string
  /** Lower case. */
  readonly email: string
  readonly name: string
}

/** Who a session belongs to. */
export interface SignedIn extends Person {
  readonly account: Account
}

/** A sign-up whose link was not opened yet. It is no person: nobody can sign in by it. */
export interface PendingSignUp {
  readonly email: string
  readonly name: string
  readonly passwordHash: string
  /** Local path to go on to. */
  readonly continueTo: string
  /** Digest of the cookie that the signing-up browser was given. */
  readonly browserSha256: string
}

/** Headers of a request: Node's, Fastify's or the web's. */
export type RequestHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

export const passwordLengthMin = 10
/** Enough for any sentence; longer ones are only work for the hash. */
export const passwordLengthMax = 128

/** Real time, whatever the billing clock says: people's browsers live in it. */
export const sessionLengthS = 7 * 24 * 3600
export const signUpLinkLengthS = 24 * 3600
export const resetLinkLengthS = 3600

/** @throws Fault InvalidParameter when it is too short or too long */
export function requirePassword(password: string): void {
  if (password.length >= passwordLengthMin && password.length <= passwordLengthMax) return
  throw new Fault('InvalidParameter', `A password has ${passwordLengthMin} to ${passwordLengthMax} characters.`, {
    data: { parameter: 'password' },
  })
}

/** One sentence for a link that was used, is too old, or never was: which of them is nobody's business. */
export function linkIsSpent(what: string): Fault {
  return new Fault('InvalidParameter', `This link no longer works: it was used already, or is too old. ${what}`, {
    data: { parameter: 'token' },
  })
}

export function headerOf(headers: RequestHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  const value = headers[name]
  return typeof value === 'string' ? value : value?.join(name === 'cookie' ? '; ' : ', ')
}
