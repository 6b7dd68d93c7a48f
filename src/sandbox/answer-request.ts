/**
 * Answers one request of the API in one transaction: the effect, its events and the answer kept under its idempotency
 * key are written together or not at all.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { Refusal, invalidRequest } from './sandbox.ts'
import { findAnswer, lockKey, saveAnswer } from './store.ts'
import { readForm } from './read-form.ts'
import type { Route } from './route.ts'

export interface ApiRequest {
  readonly route: Route
  readonly path: string
  /** The object the path names, or nothing. */
  readonly id: string
  readonly requestId: string
  readonly authorization: string | undefined
  readonly idempotencyKey: string | undefined
  /** Form-encoded parameters: the body, or the query string of a GET. */
  readonly parameters: string
}

export interface ApiAnswer {
  readonly status: number
  readonly body: string
  /** The answer was given before, to an earlier request under the same idempotency key. */
  readonly replayed: boolean
}

const keyLengthMax = 255

export async function answerRequest(
  sandbox: { database: Database; secretKey: string; pagesUrl: string },
  request: ApiRequest,
): Promise<ApiAnswer> {
  try {
    checkAuthorization(request.authorization, sandbox.secretKey)
    const values = readForm(request.parameters)
    const key = request.route.method === 'POST' ? request.idempotencyKey : undefined
    if (key !== undefined && (key === '' || key.length > keyLengthMax))
      throw invalidRequest(`Idempotency keys have 1 to ${keyLengthMax} characters.`, 'idempotency_key_invalid')
    const fingerprint = fingerprintOf(sandbox.database, request)
    return await sandbox.database.transaction(async (tx) => {
      if (key !== undefined) {
        if (!(await lockKey(tx, key))) throw keyInUse()
        const saved = await findAnswer(tx, key)
        if (saved !== undefined) {
          if (saved.requestSha256 !== fingerprint) throw keyOfAnother(key)
          return { status: saved.status, body: saved.body, replayed: true }
        }
      }
      const call = {
        tx,
        requestId: request.requestId,
        idempotencyKey: key ?? null,
        pagesUrl: sandbox.pagesUrl,
      }
      const answer = await request.route.run(call, request.id, values)
      const body = print(answer.body)
      if (key !== undefined) await saveAnswer(tx, key, { requestSha256: fingerprint, status: answer.status, body })
      return { status: answer.status, body, replayed: false }
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return refusalAnswer(error)
  }
}

export function refusalAnswer(refusal: Refusal): ApiAnswer {
  return { status: refusal.status, body: print({ error: refusal.body }), replayed: false }
}

function print(body: object): string {
  return `${JSON.stringify(body, null, 2)}\n`
}

/** Keyed, because a request may hold a card number, which nobody shall find again by trying them all. */
function fingerprintOf(database: Database, request: ApiRequest): string {
  return createHmac('sha256', database.sealer.derive('sandbox idempotency'))
    .update(`${request.route.method} ${request.path}\n${request.parameters}`)
    .digest('hex')
}

function checkAuthorization(header: string | undefined, secretKey: string): void {
  const [scheme = '', value = ''] = (header ?? '').split(' ')
  const basic = scheme.toLowerCase() === 'basic'
  const given = basic ? (Buffer.from(value, 'base64').toString('utf8').split(':')[0] ?? '') : value
  const known = Buffer.from(secretKey)
  const shown = Buffer.from(given)
  if (shown.length === known.length && timingSafeEqual(shown, known)) return
  throw new Refusal(401, {
    type: 'invalid_request_error',
    message:
      given === ''
        ? 'You did not provide an API key. Provide it in the Authorization header, as "Bearer sk_test_…".'
        : 'Invalid API Key provided.',
  })
}

function keyInUse(): Refusal {
  return new Refusal(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: 'There is currently another in-progress request using this Idempotent Key. Try again in a moment.',
  })
}

function keyOfAnother(key: string): Refusal {
  return new Refusal(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  })
}
