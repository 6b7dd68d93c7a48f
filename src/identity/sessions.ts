/**
 * Sessions, by better-auth: passwords checked, session cookies signed, sessions kept in its tables. Only these calls are used;
 * its HTTP handler is not exposed, so its other endpoints do not exist for anyone.
 */
import { betterAuth } from 'better-auth'
import { createAuthEndpoint, isAPIError } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import pg from 'pg'
import { z } from 'zod'
import { publicUrlOf } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { newUuid } from '../base/ids.ts'
import type { Log } from '../base/telemetry.ts'
import type { Database } from '../database/database.ts'
import {
  headerOf,
  passwordLengthMax,
  passwordLengthMin,
  sessionLengthS,
  type Person,
  type RequestHeaders,
} from './identity.ts'

/** Our name for the header that carries the client's address to better-auth: nothing a client sends gets there. */
const addressHeader = 'x-turnpike-client-address'
const connectionsMax = 4

export interface Sessions {
  /** @returns the cookies of a new session @throws Fault Unauthenticated, alike for a wrong address and a wrong password */
  signIn(credentials: { email: string; password: string }, headers: RequestHeaders, address?: string): Promise<string[]>
  /** Begins a session of a person who proved to be one in another way. @returns its cookies */
  begin(personId: string, headers: RequestHeaders, address?: string): Promise<string[]>
  /** Whose session the cookies name, if it is one. */
  read(headers: RequestHeaders): Promise<Person | undefined>
  /** Ends the session the cookies name. @returns cookies that clear them */
  end(headers: RequestHeaders): Promise<string[]>
  close(): Promise<void>
}

/** Opened on first use: the public address may be known only once the server listens. */
export function openSessions(db: Database): Sessions {
  const pool = identityPool(db)
  let opened: ReturnType<typeof configure> | undefined
  const auth = (): ReturnType<typeof configure> => (opened ??= configure(db, pool))
  return {
    async signIn({ email, password }, headers, address) {
      try {
        const answer = await auth().api.signInEmail({
          body: { email, password },
          headers: authHeaders(headers, address),
          returnHeaders: true,
        })
        return answer.headers.getSetCookie()
      } catch (error) {
        if (isAPIError(error) && error.statusCode < 500) throw wrongCredentials()
        throw error
      }
    },
    async begin(personId, headers, address) {
      const answer = await auth().api.beginSession({
        body: { personId },
        headers: authHeaders(headers, address),
        returnHeaders: true,
      })
      return answer.headers.getSetCookie()
    },
    async read(headers) {
      const session = await auth().api.getSession({ headers: authHeaders(headers) })
      return session === null
        ? undefined
        : { personId: session.user.id, email: session.user.email, name: session.user.name }
    },
    async end(headers) {
      const answer = await auth().api.signOut({ headers: authHeaders(headers), returnHeaders: true })
      return answer.headers.getSetCookie()
    },
    close: () => pool.end(),
  }
}

/** What better-auth is told; exported for the test that compares our tables with what it asks for. */
export function configure(db: Database, pool: pg.Pool) {
  const publicUrl = publicUrlOf(db.config)
  return betterAuth({
    appName: 'Turnpike',
    baseURL: publicUrl,
    // The plural outranks anything in the environment of the process.
    secrets: [{ version: 1, value: db.sealer.derive('sessions').toString('base64url') }],
    database: pool,
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      requireEmailVerification: true,
      minPasswordLength: passwordLengthMin,
      maxPasswordLength: passwordLengthMax,
    },
    // A session ends a week after it began, however much it is used.
    session: { expiresIn: sessionLengthS, disableSessionRefresh: true, cookieCache: { enabled: false } },
    advanced: {
      cookiePrefix: 'turnpike',
      useSecureCookies: publicUrl.startsWith('https://'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/' },
      ipAddress: { ipAddressHeaders: [addressHeader] },
      database: { generateId: newUuid },
    },
    // See limit-attempts.ts.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: quietLogger(db.log),
    plugins: [{ id: 'turnpike-sessions', endpoints: { beginSession } }],
  })
}

const beginSession = createAuthEndpoint.serverOnly(
  { method: 'POST', body: z.object({ personId: z.string() }), requireHeaders: true },
  async (ctx) => {
    const user = await ctx.context.internalAdapter.findUserById(ctx.body.personId)
    if (user === null) throw new Error('a session begins for a person who exists')
    const session = await ctx.context.internalAdapter.createSession(user.id)
    await setSessionCookie(ctx, { session, user })
    return ctx.json({ begun: true })
  },
)

/** better-auth names its tables without a schema, so its connections look for them in `identity` alone. */
export function identityPool(db: Database): pg.Pool {
  const pool = new pg.Pool({ ...db.pool.options, max: connectionsMax, options: '-c search_path=identity' })
  pool.on('error', (error) => db.log.warn({ err: error }, 'an idle connection of sign-in broke; it is replaced'))
  return pool
}

/** Its messages hold e-mail addresses at lower levels and whole objects as arguments: only errors pass, and only as text. */
function quietLogger(log: Log) {
  return {
    level: 'error' as const,
    log: (_level: string, message: string, ...details: unknown[]) => {
      const error = details.find((detail) => detail instanceof Error)
      log.error({ reason: error?.message }, `sign-in: ${message}`)
    },
  }
}

function authHeaders(headers: RequestHeaders, address?: string): Headers {
  const passed = new Headers()
  for (const name of ['cookie', 'user-agent']) {
    const value = headerOf(headers, name)
    if (value !== undefined) passed.set(name, value)
  }
  if (address !== undefined) passed.set(addressHeader, address)
  return passed
}

/** One sentence, whether the address or the password is wrong, or the link in the mail was not opened yet. */
export function wrongCredentials(): Fault {
  return new Fault(
    'Unauthenticated',
    'The e-mail address and the password do not belong together, or the link in the mail of your sign-up was not opened yet.',
  )
}
