/** What the verifiers of all signature versions share: what they are given, what they find, and how they refuse. */
import { AwsError } from './aws-error.ts'
import type { Parameters } from './read-parameters.ts'

/** A request as it came over the wire, before anything was interpreted. */
export interface SignedRequest {
  readonly method: string
  /** Path and query string, still encoded. */
  readonly url: string
  /** Name, value, name, value, … exactly as received: clients sign spellings that a header map loses. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export interface VerifyOptions {
  /** The secret of an access key that may be used now; undefined for any other. */
  readonly findSecret: (accessKeyId: string) => Promise<string | undefined>
  /** Milliseconds since 1970 by the real clock. */
  readonly nowMs: number
}

/** A request that its signature proves. */
export interface Verified {
  readonly accessKeyId: string
  readonly kind: 'v4-header' | 'v4-presigned' | 'v2'
  /** Of the credential scope; not insisted on, since old clients derive both from the host name. Undefined for version 2. */
  readonly region: string | undefined
  readonly service: string | undefined
  /** A session token under the signature. Never take it from a header or parameter yourself: it may be unsigned there. */
  readonly securityToken: string | undefined
  /** Query string and form together, as the signature covers them. */
  readonly parameters: Parameters
}

/** Everything the verifiers of the single versions look at, taken apart once. */
export interface Incoming {
  readonly method: string
  readonly path: string
  readonly query: Parameters
  readonly form: Parameters
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** Clients and servers may differ by this much (EC2's own figure). */
export const skewMs = 5 * 60 * 1000

/** The secret of the key that signed. */
export async function secretOf(accessKeyId: string, options: VerifyOptions): Promise<string> {
  const secret = await options.findSecret(accessKeyId)
  if (secret === undefined) {
    throw new AwsError(
      'InvalidClientTokenId',
      'The access key of this request does not exist here or is not active.',
      403,
    )
  }
  return secret
}

export function signatureDoesNotMatch(reason: string): AwsError {
  return new AwsError(
    'SignatureDoesNotMatch',
    `The signature of this request does not match what was received: ${reason}. Check the secret access key and the way of signing.`,
    403,
  )
}

export function requestExpired(reason: string): AwsError {
  return new AwsError('RequestExpired', `Request has expired: ${reason}.`)
}

export function incompleteSignature(reason: string): AwsError {
  return new AwsError('IncompleteSignature', `The signature cannot be read: ${reason}.`)
}
