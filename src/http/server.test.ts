import { Writable } from 'node:stream'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { testDatabase } from '../../test/database.ts'
import { Fault } from '../base/fault.ts'
import { createLog, createMetrics } from '../base/telemetry.ts'
import { AwsError } from '../aws/aws-error.ts'
import { databaseReady } from './health.ts'
import { awsRoutes, pageRoutes, restRoutes } from './route-kind.ts'
import { createServer, shutDown, type ServerOptions } from './server.ts'

const servers: FastifyInstance[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** A server with a few routes of each kind, and the lines it logs. */
function makeServer(options: Partial<ServerOptions> = {}): {
  server: FastifyInstance
  lines: Record<string, unknown>[]
} {
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
      done()
    },
  })
  const server = createServer({
    log: createLog('debug', destination),
    metrics: createMetrics(),
    trustProxy: false,
    ready: async () => undefined,
    ...options,
  })
  servers.push(server)
  const fail = async (request: { query: unknown }): Promise<never> => {
    const { how } = request.query as { how?: string }
    if (how === 'fault') {
      throw new Fault('NotSubscribed', 'You have not bought <this>.', {
        detail: 'internal',
        data: { purchaseUrl: 'http://x/p' },
      })
    }
    if (how === 'aws') throw new AwsError('DryRunOperation', 'Request would have succeeded.', 412)
    throw new Error('secret detail')
  }
  void server.register(async (scope) => {
    awsRoutes(scope)
    scope.get('/aws', fail)
    scope.post('/aws', async (request) => ({ bytes: (request.body as Buffer).toString('hex') }))
  })
  void server.register(async (scope) => {
    restRoutes(scope)
    scope.get('/api/things', fail)
    scope.post('/api/things', async (request) => request.body)
    scope.get('/api/bigint', async () => ({ amount: 1n }))
  })
  void server.register(async (scope) => {
    pageRoutes(scope)
    scope.get('/page', fail)
    scope.get('/page/:name', async (_request, reply) => reply.type('text/html; charset=utf-8').send('<p>hello</p>'))
    scope.post('/page', async (request) => request.body)
  })
  return { server, lines }
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }

describe('refusals are answered in the wire of their route', () => {
  test('AWS', async () => {
    const { server } = makeServer()
    const answer = await server.inject({ url: '/aws?how=fault' })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([401, 'text/xml;charset=UTF-8'])
    expect(answer.body).toContain('<Code>NotSubscribed</Code><Message>You have not bought &lt;this&gt;.</Message>')
    expect(answer.body).toContain(`<RequestID>${String(answer.headers['x-amzn-requestid'])}</RequestID>`)
    expect((await server.inject({ url: '/aws?how=aws' })).statusCode).toBe(412)
  })

  test('REST', async () => {
    const { server } = makeServer()
    const answer = await server.inject({ url: '/api/things?how=fault' })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      401,
      'application/problem+json; charset=utf-8',
    ])
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: 'NotSubscribed',
      status: 401,
      detail: 'You have not bought <this>.',
      code: 'NotSubscribed',
      data: { purchaseUrl: 'http://x/p' },
      requestId: answer.headers['x-request-id'],
    })
  })

  test('pages', async () => {
    const { server } = makeServer()
    const answer = await server.inject({ url: '/page?how=fault' })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([401, 'text/html; charset=utf-8'])
    expect(answer.body).toContain('You have not bought &lt;this&gt;.')
    const drawn = makeServer({ drawProblem: (problem) => `<p>${problem.code}</p>` }).server
    expect((await drawn.inject({ url: '/page?how=fault' })).body).toBe('<p>NotSubscribed</p>')
  })

  test.each(['/aws', '/api/things', '/page'])('%s: what was not foreseen shows nothing of its inside', async (url) => {
    const { server, lines } = makeServer()
    const answer = await server.inject({ url })
    expect(answer.statusCode).toBe(500)
    expect(answer.body).toContain('Something went wrong')
    expect(answer.body).not.toContain('secret detail')
    expect(JSON.stringify(lines)).toContain('secret detail')
  })

  test('no such address', async () => {
    const { server } = makeServer()
    expect((await server.inject({ url: '/nowhere' })).json()).toMatchObject({ status: 404, code: 'NotFound' })
    const page = await server.inject({ url: '/nowhere', headers: { accept: 'text/html,*/*' } })
    expect([page.statusCode, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
  })
})

describe('bodies', () => {
  test('AWS routes have the bytes as they came', async () => {
    const { server } = makeServer()
    const answer = await server.inject({
      method: 'POST',
      url: '/aws',
      headers: form,
      payload: Buffer.from([0xff, 0x26, 0x2b]),
    })
    expect(answer.json()).toEqual({ bytes: 'ff262b' })
  })

  test('pages have fields; names may repeat and may be anything', async () => {
    const { server } = makeServer()
    const answer = await server.inject({
      method: 'POST',
      url: '/page',
      headers: form,
      payload: 'a=1&b=x+y&a=%C3%A9&__proto__=z',
    })
    expect(answer.body).toBe('{"a":["1","é"],"b":"x y","__proto__":"z"}')
    const many = await server.inject({ method: 'POST', url: '/page', headers: form, payload: 'a=1&'.repeat(1001) })
    expect(many.statusCode).toBe(400)
  })

  test.each([
    ['/api/things', form, 'a=1', 415],
    ['/api/things', { 'content-type': 'application/json-patch' }, '{}', 415],
    ['/api/things', json, '{"a":', 400],
    ['/api/things', json, '{"__proto__":{"a":1}}', 400],
    ['/page', json, '{}', 415],
    ['/aws', json, '{}', 415],
    ['/api/things', json, JSON.stringify('x'.repeat(1024 * 1024)), 413],
    ['/aws', form, 'x'.repeat(1024 * 1024 + 1), 413],
  ])('%s %j %s', async (url, headers, payload, status) => {
    const { server } = makeServer()
    const answer = await server.inject({ method: 'POST', url, headers, payload })
    expect(answer.statusCode).toBe(status)
    expect(answer.body).toMatch(/UnsupportedMediaType|MalformedRequest|RequestTooLarge/)
  })

  test('a bigint in an answer is a defect, since amounts travel as decimal strings', async () => {
    const { server } = makeServer()
    expect((await server.inject({ url: '/api/bigint' })).statusCode).toBe(500)
  })
})

describe('headers', () => {
  test('pages run no script, load nothing and are framed by nobody', async () => {
    const { headers } = await makeServer().server.inject({ url: '/page/hello' })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    })
  })

  test('a request id is ours, or a proxy’s that is trusted', async () => {
    const given = { 'x-request-id': 'given-by-the-proxy' }
    const own = await makeServer().server.inject({ url: '/healthz', headers: given })
    expect(own.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    const trusted = await makeServer({ trustProxy: true }).server.inject({ url: '/healthz', headers: given })
    expect(trusted.headers['x-request-id']).toBe('given-by-the-proxy')
  })
})

test('one log line a request, with the pattern of its route and nothing of its query', async () => {
  const { server, lines } = makeServer()
  await server.inject({ url: '/page/hello?ActivationKey=A123' })
  const line = lines.find((entry) => entry['msg'] === 'request')
  expect(line).toMatchObject({
    method: 'GET',
    route: '/page/:name',
    status: 200,
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  expect(JSON.stringify(lines)).not.toContain('A123')
})

describe('health', () => {
  test('alive, and measured by route', async () => {
    const metrics = createMetrics()
    const { server } = makeServer({ metrics })
    expect((await server.inject({ url: '/healthz' })).statusCode).toBe(200)
    await server.inject({ url: '/nowhere' })
    const body = await metrics.metrics()
    expect(body).toContain('turnpike_http_request_duration_seconds_count{method="GET",route="/healthz",status="200"} 1')
    expect(body).toContain('route="unmatched",status="404"')
    expect(body).not.toContain('nowhere')
  })

  test('ready when the database answers and is migrated, not ready when it is gone', async () => {
    const house = await testDatabase()
    const { server } = makeServer({ ready: () => databaseReady(house.pool) })
    expect((await server.inject({ url: '/readyz' })).statusCode).toBe(200)
    await house.pool.query('delete from schema_migration where version > 1')
    expect((await server.inject({ url: '/readyz' })).statusCode).toBe(503)
    await house.close()
    expect((await server.inject({ url: '/readyz' })).statusCode).toBe(503)
  })
})

describe('shutting down', () => {
  const open = async (handler: () => Promise<string>) => {
    const { server } = makeServer()
    server.get('/slow', handler)
    await server.listen({ host: '127.0.0.1', port: 0 })
    return { server, url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/slow` }
  }

  test('a request under way is finished', async () => {
    const started = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<string>()
    const { server, url } = await open(async () => {
      started.resolve()
      return await finish.promise
    })
    const answer = fetch(url)
    await started.promise
    const down = shutDown(server)
    finish.resolve('done')
    expect(await (await answer).text()).toBe('done')
    expect(await down).toBe(true)
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  test('one that does not end in time is cut off', async () => {
    const started = Promise.withResolvers<void>()
    const { server, url } = await open(async () => {
      started.resolve()
      return await new Promise<string>(() => undefined)
    })
    const answer = fetch(url)
    const outcome = answer.catch((error: unknown) => String(error))
    await started.promise
    expect(await shutDown(server, 50)).toBe(false)
    expect(await outcome).toContain('fetch failed')
  })

  test('bytes that are not HTTP get a plain 400', async () => {
    const { url } = await open(async () => '')
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write('\u0016\u0003\u0001 not http\r\n\r\n')
    await closed
    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1.1 400/)
  })
})
