/**
 * How often sign-in, sign-up and reset may be tried. Counted in the database, so that all servers count together, by the network
 * the request came from and by the e-mail address it names. better-auth's own limit was rejected: it knows only the
 * network, and counts only requests to its own HTTP handler, which we do not expose.
 */
import { isIPv6 } from 'node:net'
import { Fault } from '../base/fault.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Database } from '../database/database.ts'
import { countAttempt, forgetAttempts } from './store.ts'

const minuteS = 60
const hourS = 60 * minuteS

/** Attempts per window. An e-mail address has room for its owner's slips; a network for an office behind one address. */
const limits = {
  'sign-in': { windowS: 15 * minuteS, perNetworkMax: 60, perSubjectMax: 15 },
  'sign-up': { windowS: hourS, perNetworkMax: 30, perSubjectMax: 6 },
  'password-reset': { windowS: hourS, perNetworkMax: 30, perSubjectMax: 6 },
  /** Guesses of the password at a sign-up link opened in another browser. */
  'confirm-sign-up': { windowS: hourS, perNetworkMax: 60, perSubjectMax: 10 },
} as const

type Tried = keyof typeof limits

export interface AttemptLimit {
  /** @throws Fault LimitExceeded saying how long to wait; alike for addresses with and without an account */
  take(tried: Tried, subject: string, address: string | undefined): Promise<void>
  /** A success clears what its subject's failures counted. */
  clear(tried: Tried, subject: string): Promise<void>
}

export const noLimit: AttemptLimit = { take: () => Promise.resolve(), clear: () => Promise.resolve() }

export function limitAttempts(db: Database): AttemptLimit {
  return {
    async take(tried, subject, address) {
      const { windowS, perNetworkMax, perSubjectMax } = limits[tried]
      const ofSubject = await countAttempt(db.pool, subjectKey(tried, subject), windowS)
      const ofNetwork =
        address === undefined ? 0 : await countAttempt(db.pool, `${tried}:${networkOf(address)}`, windowS)
      if (ofSubject <= perSubjectMax && ofNetwork <= perNetworkMax) return
      throw new Fault(
        'LimitExceeded',
        `There were too many attempts. Wait ${windowS / minuteS} minutes, then try again.`,
      )
    },
    clear: (tried, subject) => forgetAttempts(db.pool, subjectKey(tried, subject)),
  }
}

/** A digest: the table of attempts is no list of e-mail addresses. */
function subjectKey(tried: Tried, subject: string): string {
  return `${tried}:${sha256Hex(subject)}`
}

/** An IPv4 address, or the /64 of an IPv6 one: any provider gives one household that many to change between. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]?.split('::') ?? []
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  const groups = [...first, ...zeros, ...last].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
