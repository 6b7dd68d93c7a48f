/**
 * Signature Version 2, what clients of the DevPay years send: HMAC over method, host, path and the sorted parameters.
 * It signs the form of a POST and nothing of its URL, so a POST with a query string is refused; and since a name given twice
 * is read differently by different parsers, that is refused as well.
 */
import { createHmac } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import { canonicalParameters, equalInConstantTime } from './canonical.ts'
import {
  incompleteSignature,
  requestExpired,
  secretOf,
  signatureDoesNotMatch,
  skewMs,
  type Incoming,
  type Verified,
  type VerifyOptions,
} from './signature.ts'

const digests: ReadonlyMap<string, string> = new Map([
  ['HmacSHA256', 'sha256'],
  ['HmacSHA1', 'sha1'],
])

export async function verifyVersion2(incoming: Incoming, options: VerifyOptions): Promise<Verified> {
  if (incoming.method === 'POST' && incoming.query.length > 0) {
    throw incompleteSignature('Signature Version 2 covers only the form of a POST, so its URL may have no query string')
  }
  if (incoming.method !== 'POST' && incoming.body.length > 0) {
    throw incompleteSignature('Signature Version 2 covers only the query string of a GET, so it may have no body')
  }
  const parameters = incoming.method === 'POST' ? incoming.form : incoming.query
  const values = new Map(parameters)
  if (values.size !== parameters.length) throw incompleteSignature('a parameter is given more than once')

  const version = values.get('SignatureVersion')
  if (version !== '2') {
    throw new AwsError('AuthFailure', 'Only Signature Version 4 and Signature Version 2 are supported.', 401)
  }
  const digest = digests.get(values.get('SignatureMethod') ?? '')
  const signature = values.get('Signature')
  const accessKeyId = values.get('AWSAccessKeyId')
  if (digest === undefined) throw incompleteSignature('SignatureMethod must be HmacSHA256 or HmacSHA1')
  if (!signature) throw incompleteSignature('Signature is missing')
  if (!accessKeyId) throw incompleteSignature('AWSAccessKeyId is missing')
  checkTime(values.get('Timestamp'), values.get('Expires'), options.nowMs)

  const secret = await secretOf(accessKeyId, options)
  const host = (incoming.headers.get('host') ?? '').toLowerCase()
  const rest = `${incoming.path || '/'}\n${canonicalParameters(parameters, 'Signature')}`
  // Some clients of that time sign the host without the port they connect to.
  const matches = [host, host.replace(/:\d+$/, '')].some((name) =>
    equalInConstantTime(
      createHmac(digest, secret).update(`${incoming.method}\n${name}\n${rest}`).digest('base64'),
      signature,
    ),
  )
  if (!matches) throw signatureDoesNotMatch('another key, or something changed after signing')
  return {
    accessKeyId,
    kind: 'v2',
    region: undefined,
    service: undefined,
    securityToken: values.get('SecurityToken'),
    parameters,
  }
}

function checkTime(timestamp: string | undefined, expires: string | undefined, nowMs: number): void {
  if ((timestamp === undefined) === (expires === undefined)) {
    throw incompleteSignature('exactly one of Timestamp and Expires is needed')
  }
  if (timestamp !== undefined && Math.abs(nowMs - parseTime(timestamp, 'Timestamp')) > skewMs) {
    throw requestExpired(`it was signed for ${timestamp}, and the clock here shows ${new Date(nowMs).toISOString()}`)
  }
  if (expires !== undefined && parseTime(expires, 'Expires') <= nowMs)
    throw requestExpired(`it was valid until ${expires}`)
}

/** ISO 8601; without a zone it is UTC, as those clients mean it. */
function parseTime(text: string, name: string): number {
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  const ms = match === null ? Number.NaN : Date.parse(match[2] === undefined ? `${text}Z` : text)
  if (Number.isNaN(ms)) throw incompleteSignature(`${name} must be an instant such as 2026-07-01T12:00:00Z`)
  return ms
}
