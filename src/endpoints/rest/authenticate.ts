/** Who asks the REST API: an access key by HTTP Basic, or a signed-in person by the session's cookie. */
import { timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../accounts/accounts.ts'
import { findAccessKey } from '../../accounts/find-access-key.ts'
import { Fault } from '../../base/fault.ts'
import { sha256Hex } from '../../base/seal.ts'
import type { Database } from '../../database/database.ts'
import { guardForm } from '../../identity/form-guard.ts'
import type { RestHouse } from './rest.ts'

/** @throws Fault Unauthenticated when the request proves nobody, Forbidden when another site's page sent it */
export async function authenticate(house: RestHouse, request: FastifyRequest): Promise<Caller> {
  const { authorization } = request.headers
  if (authorization !== undefined) return await callerOfAccessKey(house.database, authorization)
  const session = await house.people.sessionOf(request.headers)
  if (session === undefined) {
    throw new Fault(
      'Unauthenticated',
      'Give an access key id and its secret by HTTP Basic (curl -u ID:SECRET), or sign in.',
    )
  }
  // A cookie comes along whoever made the browser send the request; an access key does not.
  if (request.method !== 'GET' && request.method !== 'HEAD') guardForm(house.database.config, request.headers)
  const { account, personId } = session
  return { accountId: account.accountId, operator: account.operator, via: 'session', personId }
}

/** Asks the client for an access key, as HTTP wants it of a 401. */
export function challenge(reply: FastifyReply): void {
  reply.header('www-authenticate', 'Basic realm="Turnpike", charset="UTF-8"')
}

/** @throws Fault Unauthenticated, alike whatever is wrong with the key */
export async function callerOfAccessKey(database: Database, authorization: string): Promise<Caller> {
  const [scheme = '', encoded = ''] = authorization.split(' ', 2)
  if (scheme.toLowerCase() !== 'basic') {
    throw new Fault(
      'Unauthenticated',
      `The Authorization header is ${JSON.stringify(scheme.slice(0, 40))}; this API takes Basic, with an access key id and its secret.`,
    )
  }
  const [accessKeyId = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const key = await findAccessKey(database, accessKeyId)
  // Digests have one length, so that the comparison tells nothing of the secret's.
  const given = Buffer.from(sha256Hex(rest.join(':')))
  if (key === undefined || !key.active || !timingSafeEqual(given, Buffer.from(sha256Hex(key.secret)))) {
    throw new Fault('Unauthenticated', 'The access key is unknown, inactive, or its secret is another.')
  }
  return { accountId: key.accountId, operator: key.operator, via: 'access-key', accessKeyId }
}
