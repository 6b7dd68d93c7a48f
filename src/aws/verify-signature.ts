/**
 * Who signed this request: Signature Version 4 (header or presigned URL) and Signature Version 2, the two that AWS
 * clients from 2009 to today send to EC2. There is no verifying library; this is node:crypto, checked in its tests
 * against the signer of the AWS SDK. Signatures are checked against the real clock even when billing runs on a manual one:
 * clients sign with theirs.
 */
import { AwsError } from './aws-error.ts'
import { canonicalHeaders, splitUrl } from './canonical.ts'
import { readForm, readQueryString } from './read-parameters.ts'
import type { Incoming, SignedRequest, Verified, VerifyOptions } from './signature.ts'
import { verifyVersion2 } from './signature-v2.ts'
import { verifyVersion4Header, verifyVersion4Presigned } from './signature-v4.ts'

/**
 * Checks the signature of a request to a query service.
 *
 * @throws AwsError MissingAuthenticationToken 403, IncompleteSignature 400, AuthFailure 401, InvalidClientTokenId 403,
 *   RequestExpired 400, SignatureDoesNotMatch 403, MalformedQueryString 400
 */
export async function verifySignature(request: SignedRequest, options: VerifyOptions): Promise<Verified> {
  const incoming = takeApart(request)
  const authorization = incoming.headers.get('authorization')
  const presigned = incoming.query.some(([name]) => name === 'X-Amz-Algorithm')
  const version2 = [...incoming.query, ...incoming.form].some(([name]) => name === 'SignatureVersion')
  if (Number(authorization !== undefined) + Number(presigned) + Number(version2) > 1) {
    throw new AwsError('IncompleteSignature', 'The request is signed in more than one way; only one is allowed.')
  }
  if (authorization !== undefined) return await verifyVersion4Header(incoming, authorization, options)
  if (presigned) return await verifyVersion4Presigned(incoming, options)
  if (version2) return await verifyVersion2(incoming, options)
  throw new AwsError(
    'MissingAuthenticationToken',
    'The request is not signed. Sign it with an access key, by Signature Version 4 or 2.',
    403,
  )
}

function takeApart(request: SignedRequest): Incoming {
  const { path, query } = splitUrl(request.url)
  return {
    method: request.method,
    path,
    query: readQueryString(query),
    form: readForm(request.body),
    headers: canonicalHeaders(request.rawHeaders),
    body: request.body,
  }
}
