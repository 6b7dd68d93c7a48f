/** Tells `GET /?Action=…` of an AWS client from `GET /` of a browser, before a route is chosen. */
import type { FastifyInstance } from 'fastify'

const awsQuery = /[?&](Action|X-Amz-Algorithm|AWSAccessKeyId)=/

/** Adds the route constraint `awsQuery: 'yes'`. */
export function addQueryConstraint(server: FastifyInstance): void {
  server.addConstraintStrategy({
    name: 'awsQuery',
    storage() {
      const handlers = new Map<string, unknown>()
      return {
        get: (value: unknown) => handlers.get(String(value)) ?? null,
        set: (value: string, handler: unknown) => void handlers.set(value, handler),
      } as never
    },
    deriveConstraint: (request) => (awsQuery.test(request.url ?? '') ? 'yes' : undefined),
  })
}
