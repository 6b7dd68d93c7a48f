import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AwsError } from './aws-error.ts'
import type { SignedRequest } from './signature.ts'
import { verifySignature } from './verify-signature.ts'

const accessKeyId = 'AKIAEXAMPLEEXAMPLE22'
const secret: string = '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'
const nowMs = Date.parse('2026-07-01T12:00:00Z')
const options = {
  findSecret: async (id: string) => (id === accessKeyId ? secret : undefined),
  nowMs,
}

class NodeSha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    if (key === undefined) this.#hash = createHash('sha256')
    else this.#hash = createHmac('sha256', typeof key === 'string' ? key : Buffer.from(key as Uint8Array))
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }
  reset(): void {
    throw new Error('never called by the signer')
  }
}

interface Draft {
  readonly method?: string
  readonly query?: Record<string, string>
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly signedAt?: Date
  readonly sessionToken?: string
  readonly scope?: readonly [region: string, service: string]
}

const signer = ({ sessionToken, scope: [region, service] = ['us-east-1', 'ec2'] }: Draft) =>
  new SignatureV4({
    credentials: { accessKeyId, secretAccessKey: secret, ...(sessionToken === undefined ? {} : { sessionToken }) },
    region,
    service,
    sha256: NodeSha256,
    applyChecksum: false,
  })

const draftRequest = (draft: Draft) => ({
  method: draft.method ?? 'POST',
  protocol: 'http:',
  hostname: '127.0.0.1',
  path: '/',
  query: draft.query ?? {},
  headers: {
    host: '127.0.0.1:8080',
    'content-type': 'application/x-www-form-urlencoded',
    ...draft.headers,
  },
  body: draft.body ?? '',
})

interface Signed {
  readonly method: string
  readonly headers: Record<string, string>
  readonly query?: Record<string, unknown>
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const queryText = (query: Record<string, unknown>) =>
  Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join('&')

async function v4(draft: Draft): Promise<SignedRequest> {
  const signed: Signed = await signer(draft).sign(draftRequest(draft), {
    signingDate: draft.signedAt ?? new Date(nowMs),
  })
  const query = queryText(signed.query ?? {})
  return {
    method: signed.method,
    url: query === '' ? '/' : `/?${query}`,
    rawHeaders: Object.entries(signed.headers).flat(),
    body: Buffer.from(draft.body ?? ''),
  }
}

async function presigned(draft: Draft): Promise<SignedRequest> {
  const signed: Signed = await signer(draft).presign(
    { ...draftRequest(draft), headers: { host: '127.0.0.1:8080' } },
    {
      signingDate: draft.signedAt ?? new Date(nowMs),
      expiresIn: 60,
    },
  )
  return {
    method: signed.method,
    url: `/?${queryText(signed.query ?? {})}`,
    rawHeaders: ['Host', '127.0.0.1:8080'],
    body: Buffer.from(draft.body ?? ''),
  }
}

interface V2Draft {
  readonly method?: 'GET' | 'POST'
  readonly digest?: 'sha256' | 'sha1'
  readonly parameters?: Record<string, string>
  readonly signedHost?: string
}

function v2(draft: V2Draft): SignedRequest {
  const { method = 'POST', digest = 'sha256' } = draft
  const parameters: Record<string, string> = {
    Action: 'DescribeImages',
    Version: '2010-08-31',
    AWSAccessKeyId: accessKeyId,
    SignatureVersion: '2',
    SignatureMethod: digest === 'sha256' ? 'HmacSHA256' : 'HmacSHA1',
    ...(draft.parameters?.['Expires'] === undefined ? { Timestamp: '2026-07-01T12:00:00Z' } : {}),
    ...draft.parameters,
  }
  const sorted = Object.keys(parameters)
    .sort()
    .map((name) => `${encode(name)}=${encode(parameters[name] ?? '')}`)
    .join('&')
  const signature = createHmac(digest, secret)
    .update(`${method}\n${draft.signedHost ?? '127.0.0.1:8080'}\n/\n${sorted}`)
    .digest('base64')
  const text = `${sorted}&Signature=${encode(signature)}`
  return {
    method,
    url: method === 'GET' ? `/?${text}` : '/',
    rawHeaders: ['Host', '127.0.0.1:8080', 'Content-Type', 'application/x-www-form-urlencoded'],
    body: Buffer.from(method === 'GET' ? '' : text),
  }
}

const body =
  'Action=DescribeImages&Version=2016-11-15&ImageId.1=ami-0abc&Filter.1.Name=tag%3Aa+b&Filter.1.Value.1=x%2Ay~z%2B%C3%A9'
const awkward = { 'Filter.1.Name': 'tag:a b', 'Filter.1.Value.1': "x*y~z+é(!')&=" }

/** Every shape of a right request, as the measured clients send it. */
const requests: Record<string, () => Promise<SignedRequest>> = {
  'v4 header': () => v4({ body }),
  'v4 header with every header the SDK signs': () =>
    v4({
      body,
      headers: {
        'content-length': String(body.length),
        'amz-sdk-invocation-id': 'b2c7',
        'amz-sdk-request': 'attempt=1; max=3',
        'x-amz-user-agent': 'aws-sdk-js/3   ua/2.1',
        'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      },
    }),
  'v4 header with a session token': () => v4({ body, sessionToken: 'session-token' }),
  'v4 GET': () => v4({ method: 'GET', query: { Action: 'DescribeRegions', Version: '2016-11-15', ...awkward } }),
  'v4 presigned GET': () =>
    presigned({ method: 'GET', query: { Action: 'DescribeImages', Version: '2016-11-15', ...awkward } }),
  'v4 presigned POST': () => presigned({ query: { Action: 'DescribeImages', Version: '2016-11-15' } }),
  'v2 POST': async () => v2({ parameters: awkward }),
  'v2 POST with SHA-1': async () => v2({ digest: 'sha1' }),
  'v2 GET': async () => v2({ method: 'GET', parameters: awkward }),
  'v2 with Expires': async () => v2({ parameters: { Expires: '2026-07-01T12:01:00' } }),
  'v2 with the host signed without its port': async () => v2({ signedHost: '127.0.0.1' }),
}

async function refusal(request: SignedRequest, changed: Partial<typeof options> = {}): Promise<AwsError> {
  const outcome = await verifySignature(request, { ...options, ...changed }).catch((error: unknown) => error)
  if (!(outcome instanceof AwsError))
    throw new Error(`accepted or crashed: ${JSON.stringify(outcome)} ${String(outcome)}`)
  return outcome
}

describe.each(Object.entries(requests))('%s', (_, make) => {
  test('is accepted, and its parameters are what was signed', async () => {
    const verified = await verifySignature(await make(), options)
    expect(verified.accessKeyId).toBe(accessKeyId)
    const parameters = new Map(verified.parameters)
    expect(parameters.get('Action')).toMatch(/^Describe/)
    expect(parameters.get('Filter.1.Name') ?? 'tag:a b').toBe('tag:a b')
  })

  test('is refused with another secret, an unknown key, or at another time', async () => {
    const request = await make()
    expect((await refusal(request, { findSecret: async () => `${secret}x` })).code).toBe('SignatureDoesNotMatch')
    expect((await refusal(request, { findSecret: async () => undefined })).code).toBe('InvalidClientTokenId')
    expect((await refusal(request, { nowMs: nowMs + 6 * 60_000 })).code).toBe('RequestExpired')
  })

  test('is refused when method, host, path or parameters change', async () => {
    const request = await make()
    const { url, method } = request
    const otherMethod = { ...request, method: method === 'GET' ? 'DELETE' : 'PUT' }
    const otherHost = request.rawHeaders.map((value) => (value === '127.0.0.1:8080' ? 'example.net' : value))
    for (const mutated of [
      otherMethod,
      { ...request, rawHeaders: otherHost },
      { ...request, url: url.replace('/', '/other') },
      { ...request, url: url.includes('?') ? `${url}&DryRun=true` : `${url}?DryRun=true` },
      { ...request, url: url.includes('?') ? `${url}&Action=RunInstances` : `${url}?Action=RunInstances` },
      { ...request, body: Buffer.concat([request.body, Buffer.from('&DryRun=true')]) },
    ]) {
      const { status } = await refusal(mutated)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }
  })

  test('is refused with any byte of the body or the URL flipped', async () => {
    const request = await make()
    const meaning = JSON.stringify((await verifySignature(request, options)).parameters)
    for (const [part, text] of [
      ['body', request.body.toString('latin1')],
      ['url', request.url],
    ] as const) {
      for (let index = part === 'url' ? 1 : 0; index < text.length; index += 1) {
        const flipped = text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ 1) + text.slice(index + 1)
        const mutated =
          part === 'body' ? { ...request, body: Buffer.from(flipped, 'latin1') } : { ...request, url: flipped }
        const outcome = await verifySignature(mutated, options).catch((error: unknown) => error)
        // A byte may be spelt otherwise (%2a, %2A) without changing what is said; nothing else may pass.
        if (outcome instanceof AwsError) continue
        expect(JSON.stringify((outcome as { parameters: unknown }).parameters)).toBe(meaning)
      }
    }
  })
})

describe('version 4', () => {
  test('is refused with any byte of a signed header flipped', async () => {
    const headers = { 'x-amz-user-agent': 'aws-sdk-js/3   ua/2.1', 'amz-sdk-request': 'attempt=1; max=3' }
    const request = await v4({ body, headers, sessionToken: 'session-token' })
    let flipped = 0
    for (let index = 1; index < request.rawHeaders.length; index += 2) {
      const value = request.rawHeaders[index] ?? ''
      for (let at = 0; at < value.length; at += 1) {
        const changed = value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ 1) + value.slice(at + 1)
        const rawHeaders = request.rawHeaders.with(index, changed)
        expect((await refusal({ ...request, rawHeaders })).status).toBeLessThan(500)
        flipped += 1
      }
    }
    expect(flipped).toBeGreaterThan(300)
  })

  test('names region, service and session token under the signature', async () => {
    const verified = await verifySignature(await v4({ body, sessionToken: 'session-token' }), options)
    expect(verified).toMatchObject({
      kind: 'v4-header',
      region: 'us-east-1',
      service: 'ec2',
      securityToken: 'session-token',
    })
    const url = await presigned({ method: 'GET', query: { Action: 'X' }, sessionToken: 'session-token' })
    expect((await verifySignature(url, options)).securityToken).toBe('session-token')
  })

  test('refuses x-amz-* headers that are not signed', async () => {
    for (const make of [() => v4({ body }), () => presigned({ method: 'GET', query: { Action: 'X' } })]) {
      const request = await make()
      const error = await refusal({ ...request, rawHeaders: [...request.rawHeaders, 'X-Amz-Security-Token', 'stolen'] })
      expect(error.code).toBe('SignatureDoesNotMatch')
    }
  })

  test('computes the hash of the body itself', async () => {
    const unsigned = await v4({ body, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })
    expect((await refusal(unsigned)).code).toBe('SignatureDoesNotMatch')
    const url = await presigned({ query: { Action: 'DescribeImages' } })
    expect((await refusal({ ...url, body: Buffer.from('DryRun=true') })).code).toBe('SignatureDoesNotMatch')
  })

  test('does not insist on region and service, which old clients derive from the host name', async () => {
    const verified = await verifySignature(await v4({ body, scope: ['0', '127'] }), options)
    expect(verified).toMatchObject({ region: '0', service: '127' })
  })

  test.each([
    ['no credential', 'AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00', 'IncompleteSignature', 400],
    ['another algorithm', 'AWS4-ECDSA-P256-SHA256 Credential=a', 'AuthFailure', 401],
    ['another scheme', 'Bearer abc', 'MissingAuthenticationToken', 403],
    [
      'a short scope',
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260701, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      'IncompleteSignature',
      400,
    ],
    [
      'another day',
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260630/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
      'IncompleteSignature',
      400,
    ],
    [
      'an unsigned host',
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260701/us-east-1/ec2/aws4_request, SignedHeaders=x-amz-date, Signature=${'0'.repeat(64)}`,
      'SignatureDoesNotMatch',
      403,
    ],
  ])('refuses %s', async (_, authorization, code, status) => {
    const rawHeaders = ['Host', 'h', 'X-Amz-Date', '20260701T120000Z', 'Authorization', authorization]
    const error = await refusal({ method: 'POST', url: '/', rawHeaders, body: Buffer.from(body) })
    expect([error.code, error.status]).toEqual([code, status])
  })

  test('refuses two Authorization headers and two ways of signing', async () => {
    const request = await v4({ body })
    const index = request.rawHeaders.indexOf('authorization')
    const twice = [...request.rawHeaders, 'Authorization', request.rawHeaders[index + 1] ?? '']
    expect((await refusal({ ...request, rawHeaders: twice })).code).toBe('IncompleteSignature')
    const both = { ...v2({}), rawHeaders: [...v2({}).rawHeaders, 'Authorization', 'AWS4-HMAC-SHA256 x'] }
    expect((await refusal(both)).code).toBe('IncompleteSignature')
  })

  test('refuses a presigned URL that claims more than seven days', async () => {
    const request = await presigned({ method: 'GET', query: { Action: 'X' } })
    const error = await refusal({ ...request, url: request.url.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801') })
    expect(error.code).toBe('IncompleteSignature')
  })
})

describe('version 2', () => {
  test('covers no URL of a POST, so a query string there is refused', async () => {
    expect((await refusal({ ...v2({}), url: '/?DryRun=true' })).code).toBe('IncompleteSignature')
  })

  test('refuses a name given twice', async () => {
    const request = v2({})
    const error = await refusal({
      ...request,
      body: Buffer.concat([request.body, Buffer.from('&Action=RunInstances')]),
    })
    expect(error.code).toBe('IncompleteSignature')
  })

  test.each([
    [{ SignatureVersion: '1' }, 'AuthFailure'],
    [{ SignatureMethod: 'HmacMD5' }, 'IncompleteSignature'],
    [{ Timestamp: 'yesterday' }, 'IncompleteSignature'],
    [{ Timestamp: '2026-07-01T12:00:00Z', Expires: '2026-07-02T12:00:00Z' }, 'IncompleteSignature'],
    [{ Expires: '2026-07-01T11:59:59Z' }, 'RequestExpired'],
  ])('refuses %j', async (parameters, code) => {
    expect((await refusal(v2({ parameters: parameters }))).code).toBe(code)
  })
})

test('an unsigned request is told so', async () => {
  const error = await refusal({ method: 'POST', url: '/', rawHeaders: ['Host', 'h'], body: Buffer.from(body) })
  expect([error.code, error.status]).toEqual(['MissingAuthenticationToken', 403])
})

test('percent signs that encode nothing are an error, never a crash', async () => {
  for (const url of ['/?Action=%', '/?%zz=1', '/?Action=%ff&X-Amz-Algorithm=AWS4-HMAC-SHA256']) {
    expect((await refusal({ method: 'GET', url, rawHeaders: ['Host', 'h'], body: Buffer.alloc(0) })).code).toBe(
      'MalformedQueryString',
    )
  }
})

test('whatever comes, the answer is a refusal of the caller, never a crash', async () => {
  const headerName = fc.constantFrom(
    'host',
    'authorization',
    'x-amz-date',
    'x-amz-content-sha256',
    'x-amz-security-token',
    'date',
  )
  const names = [
    'X-Amz-Algorithm',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-Credential',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
    'SignatureVersion',
    'SignatureMethod',
    'Signature',
    'AWSAccessKeyId',
    'Timestamp',
    '__proto__',
  ]
  const texts = [
    'AWS4-HMAC-SHA256',
    '20260701T120000Z',
    '60',
    `${accessKeyId}/20260701/a/b/aws4_request`,
    'host',
    '2',
    'HmacSHA256',
    accessKeyId,
    '2026-07-01T12:00:00Z',
    '%',
  ]
  const value = fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'binary', maxLength: 20 }))
  const pairs = fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 8 })), value), { maxLength: 10 })
    .map((list) => list.map(([name, text]) => `${name}=${text}`).join('&'))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST'),
      pairs,
      fc.array(fc.tuple(headerName, value), { maxLength: 6 }),
      fc.oneof(pairs, fc.uint8Array({ maxLength: 40 })),
      async (method, query, headers, content) => {
        const request = { method, url: `/?${query}`, rawHeaders: headers.flat(), body: Buffer.from(content as string) }
        const error = await refusal(request)
        expect(error.status).toBeGreaterThanOrEqual(400)
        expect(error.status).toBeLessThan(500)
      },
    ),
    { numRuns: 500 },
  )
})
