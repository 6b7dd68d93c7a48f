/**
 * The HTTP server every endpoint is registered on: exact content types, limits, request ids, one log line a request,
 * refusals in the form of the route's kind, and an orderly end. Endpoints are plugins of `src/endpoints/`.
 */
import { randomUUID } from 'node:crypto'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { Registry } from 'prom-client'
import { AwsError, writeEc2Error } from '../aws/aws-error.ts'
import type { Log } from '../base/telemetry.ts'
import { addHealthRoutes } from './health.ts'
import { observeRequests } from './observe-requests.ts'
import { problemJson, problemOf, type Problem } from './problem.ts'
import { problemPage } from './problem-page.ts'
import { kindOf } from './route-kind.ts'
import { addSecurityHeaders } from './security-headers.ts'

export interface ServerOptions {
  readonly log: Log
  /** Where requests are measured. */
  readonly metrics: Registry
  /** Believe X-Forwarded-For, X-Forwarded-Proto and X-Request-Id. */
  readonly trustProxy: boolean
  /** Rejects while the service cannot do its work; see `databaseReady`. */
  readonly ready: () => Promise<void>
  /** Draws refusals of pages; a plain page by default. */
  readonly drawProblem?: (problem: Problem, request: FastifyRequest) => string
}

const bodyBytesMax = 1024 * 1024
const requestTimeoutMs = 30_000
// Longer than the idle time of load balancers (60 s), so that it is never this side that closes under a request.
const keepAliveTimeoutMs = 72_000

/** A server that is not listening yet. */
export function createServer(options: ServerOptions): FastifyInstance {
  const log: FastifyBaseLogger = options.log
  const server: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => requestId(options.trustProxy ? request.headers['x-request-id'] : undefined),
    trustProxy: options.trustProxy,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  })
  // Scopes add exactly the content types they take (route-kind.ts).
  server.removeAllContentTypeParsers()
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  observeRequests(server, options.metrics)
  addSecurityHeaders(server)

  const drawProblem = options.drawProblem ?? problemPage
  server.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error, request.id)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    else request.log.debug({ err: error }, 'request refused')
    await answerProblem(problem, request, reply, drawProblem)
  })
  server.setNotFoundHandler(async (request, reply) => {
    const message = 'There is nothing at this address.'
    const problem = { status: 404, code: 'NotFound', message, data: {}, requestId: request.id }
    await answerProblem(problem, request, reply, drawProblem)
  })
  addHealthRoutes(server, options.ready)
  return server
}

async function answerProblem(
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  drawProblem: (problem: Problem, request: FastifyRequest) => string,
): Promise<void> {
  reply.code(problem.status)
  switch (kindOf(request)) {
    case 'aws': {
      const error = new AwsError(problem.code, problem.message, problem.status)
      await reply.type('text/xml;charset=UTF-8').send(writeEc2Error(error, request.id))
      return
    }
    case 'page':
      await reply.type('text/html; charset=utf-8').send(drawProblem(problem, request))
      return
    case 'rest':
      await reply.type('application/problem+json').send(problemJson(problem))
      return
  }
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{8,128}$/.test(given) ? given : randomUUID()
}

/**
 * Stops taking requests, lets those under way finish, and ends the connections of those that do not in time.
 *
 * @returns whether everything finished by itself
 */
export async function shutDown(server: FastifyInstance, withinMs = 10_000): Promise<boolean> {
  let orderly = true
  const timer = setTimeout(() => {
    orderly = false
    server.server.closeAllConnections()
  }, withinMs)
  try {
    await server.close()
  } finally {
    clearTimeout(timer)
  }
  return orderly
}
