/** One log line and one measurement for each request. */
import type { FastifyInstance } from 'fastify'
import { Histogram, type Registry } from 'prom-client'

declare module 'fastify' {
  interface FastifyRequest {
    /** What a route wants in its request's log line, such as the action and the account; never a secret. */
    logFields: Record<string, unknown>
  }
}

/** Routes that are asked every few seconds and say nothing. */
const quietRoutes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * The path is logged by its route's pattern and never with its query string: presigned URLs and activation links carry
 * secrets there. The pattern is also the label of the metric, so that strangers cannot make new series.
 */
export function observeRequests(server: FastifyInstance, metrics: Registry): void {
  const duration = new Histogram({
    name: 'turnpike_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics],
  })
  server.decorateRequest('logFields')
  server.addHook('onRequest', async (request) => {
    request.logFields = {}
  })
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched'
    const ms = reply.elapsedTime
    duration.observe({ method: request.method, route, status: String(reply.statusCode) }, ms / 1000)
    const fields = { method: request.method, route, status: reply.statusCode, ms: Math.round(ms), ...request.logFields }
    if (quietRoutes.has(route)) request.log.debug(fields, 'request')
    else request.log.info(fields, 'request')
  })
}
