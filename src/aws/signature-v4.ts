/**
 * Signature Version 4. The hash of the body is always computed here, never believed: `UNSIGNED-PAYLOAD` and the streaming
 * forms, which only S3 takes, are refused as a mismatch.
 */
import { createHmac } from 'node:crypto'
import { AwsError } from './aws-error.ts'
import { canonicalParameters, canonicalPath, equalInConstantTime, sha256Hex } from './canonical.ts'
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

const algorithm = 'AWS4-HMAC-SHA256'
const presignedSecondsMax = 7 * 24 * 60 * 60

/** A request's claim, before it is checked. */
interface Claim {
  readonly kind: 'v4-header' | 'v4-presigned'
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
  /** `YYYYMMDDTHHMMSSZ` */
  readonly date: string
  readonly securityToken: string | undefined
}

/** Signature in the Authorization header: the AWS CLI, boto3, the SDKs. */
export async function verifyVersion4Header(
  incoming: Incoming,
  authorization: string,
  options: VerifyOptions,
): Promise<Verified> {
  const scheme = authorization.split(' ', 1)[0] ?? ''
  if (!scheme.startsWith('AWS4-') && !scheme.startsWith('AWS3')) {
    throw new AwsError(
      'MissingAuthenticationToken',
      `The Authorization header must begin with ${algorithm}; this one is of another kind.`,
      403,
    )
  }
  if (scheme !== algorithm) {
    throw new AwsError('AuthFailure', `The signing algorithm is not supported; sign with ${algorithm}.`, 401)
  }
  const parts = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/.exec(
    authorization,
  )
  const [, credential, signedHeaders, signature] = parts ?? []
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw incompleteSignature(
      'the Authorization header needs Credential, SignedHeaders and a Signature of 64 hex digits',
    )
  }
  const date = incoming.headers.get('x-amz-date') ?? ''
  const signedAtMs = parseAmzDate(date)
  if (Math.abs(options.nowMs - signedAtMs) > skewMs) {
    throw requestExpired(`it was signed for ${date}, and the clock here shows ${amzDate(options.nowMs)}`)
  }
  return await check(
    incoming,
    {
      kind: 'v4-header',
      credential,
      signedHeaders,
      signature,
      date,
      securityToken: incoming.headers.get('x-amz-security-token'),
    },
    options,
  )
}

/** Signature in the query string, valid for the seconds it names. */
export async function verifyVersion4Presigned(incoming: Incoming, options: VerifyOptions): Promise<Verified> {
  const values = new Map<string, string>()
  for (const [name, value] of incoming.query) {
    if (!name.startsWith('X-Amz-')) continue
    if (values.has(name)) throw incompleteSignature(`${name} is given more than once`)
    values.set(name, value)
  }
  const take = (name: string): string => {
    const value = values.get(name)
    if (value === undefined || value === '') throw incompleteSignature(`the query string needs ${name}`)
    return value
  }
  if (take('X-Amz-Algorithm') !== algorithm) {
    throw new AwsError('AuthFailure', `The signing algorithm is not supported; sign with ${algorithm}.`, 401)
  }
  const expires = take('X-Amz-Expires')
  if (!/^[1-9]\d{0,5}$/.test(expires) || Number(expires) > presignedSecondsMax) {
    throw incompleteSignature(`X-Amz-Expires must be between 1 and ${presignedSecondsMax} seconds`)
  }
  const date = take('X-Amz-Date')
  const signedAtMs = parseAmzDate(date)
  if (options.nowMs < signedAtMs - skewMs || options.nowMs > signedAtMs + Number(expires) * 1000) {
    throw requestExpired(`it was valid for ${expires} seconds from ${date}`)
  }
  const signature = take('X-Amz-Signature')
  const declared = values.get('X-Amz-Content-Sha256')
  if (declared !== undefined && declared !== sha256Hex(incoming.body)) {
    throw signatureDoesNotMatch('X-Amz-Content-Sha256 is not the hash of the body')
  }
  return await check(
    incoming,
    {
      kind: 'v4-presigned',
      credential: take('X-Amz-Credential'),
      signedHeaders: take('X-Amz-SignedHeaders'),
      signature,
      date,
      securityToken: values.get('X-Amz-Security-Token'),
    },
    options,
  )
}

async function check(incoming: Incoming, claim: Claim, options: VerifyOptions): Promise<Verified> {
  const [accessKeyId, day, region, service, terminator, ...others] = claim.credential.split('/')
  if (
    accessKeyId === undefined ||
    day === undefined ||
    region === undefined ||
    service === undefined ||
    terminator !== 'aws4_request' ||
    others.length > 0
  ) {
    throw incompleteSignature('Credential must be key/date/region/service/aws4_request')
  }
  if (day !== claim.date.slice(0, 8))
    throw incompleteSignature(`the credential is for ${day}, the date is ${claim.date}`)

  const bodyHash = sha256Hex(incoming.body)
  const headers = signedHeaderLines(incoming.headers, claim.signedHeaders, bodyHash)
  const secret = await secretOf(accessKeyId, options)
  const query = canonicalParameters(incoming.query, claim.kind === 'v4-presigned' ? 'X-Amz-Signature' : '')
  const canonicalRequest = [
    incoming.method,
    canonicalPath(incoming.path),
    query,
    headers,
    claim.signedHeaders,
    bodyHash,
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const stringToSign = `${algorithm}\n${claim.date}\n${scope}\n${sha256Hex(canonicalRequest)}`
  const key = keys.find(scope, accessKeyId, secret) ?? deriveKey(secret, day, region, service)
  if (!equalInConstantTime(hmac(key, stringToSign).toString('hex'), claim.signature)) {
    throw signatureDoesNotMatch('another key, or something changed after signing')
  }
  keys.keep(scope, accessKeyId, secret, key)
  return {
    accessKeyId,
    kind: claim.kind,
    region,
    service,
    securityToken: claim.securityToken,
    parameters: [...incoming.query.filter(([name]) => !name.startsWith('X-Amz-')), ...incoming.form],
  }
}

/**
 * `name:value` lines of the headers under the signature. The host and every x-amz-* header must be among them: one that
 * is not could be added or changed on the way.
 */
function signedHeaderLines(headers: ReadonlyMap<string, string>, signedHeaders: string, bodyHash: string): string {
  const names = signedHeaders.split(';')
  const signed = new Set(names)
  if (!signed.has('host')) throw signatureDoesNotMatch('the host header must be signed')
  for (const name of headers.keys()) {
    if (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256' && !signed.has(name)) {
      throw signatureDoesNotMatch(`${name} must be signed`)
    }
  }
  // Some clients send this one without signing it; it is harmless when it tells the truth.
  const declaredHash = headers.get('x-amz-content-sha256')
  if (declaredHash !== undefined && declaredHash !== bodyHash) {
    throw signatureDoesNotMatch('x-amz-content-sha256 is not the hash of the body')
  }
  let lines = ''
  for (const name of names) {
    const value = headers.get(name)
    if (value === undefined) throw signatureDoesNotMatch(`the signed header ${name} is not in the request`)
    lines += `${name}:${value}\n`
  }
  return lines
}

/**
 * Signing keys of the day, kept only after a signature made with them was right, so that a stranger can neither fill
 * nor empty the cache. Deriving one takes four HMACs of the seven hashes a request costs otherwise.
 */
class SigningKeys {
  readonly #keys = new Map<string, { secret: string; key: Buffer }>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  find(scope: string, accessKeyId: string, secret: string): Buffer | undefined {
    const kept = this.#keys.get(`${accessKeyId}/${scope}`)
    return kept !== undefined && equalInConstantTime(kept.secret, secret) ? kept.key : undefined
  }

  keep(scope: string, accessKeyId: string, secret: string, key: Buffer): void {
    const name = `${accessKeyId}/${scope}`
    this.#keys.delete(name)
    this.#keys.set(name, { secret, key })
    const [oldest] = this.#keys.keys()
    if (this.#keys.size > this.#max && oldest !== undefined) this.#keys.delete(oldest)
  }
}

const keys = new SigningKeys(10_000)

function deriveKey(secret: string, day: string, region: string, service: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request')
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

/** Milliseconds since 1970 of `YYYYMMDDTHHMMSSZ`. */
function parseAmzDate(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(ms)) throw incompleteSignature('X-Amz-Date must be an instant such as 20260701T120000Z')
  return ms
}

function amzDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '')
}
