/**
 * `GET /metrics`, for Prometheus. It tells how much is sold and owed, so only an operator may read it: by HTTP Basic with
 * an operator's access key, which is what Prometheus calls `basic_auth`. The loopback address alone would prove nothing: behind a
 * proxy on the same machine every request comes from there.
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Registry } from 'prom-client'
import { Fault } from '../../base/fault.ts'
import { rawRoutes } from '../../http/route-kind.ts'
import { callerOfAccessKey, challenge } from '../rest/authenticate.ts'
import { addGauges, type MetricsHouse } from './gauges.ts'

export function metricsEndpoint(house: MetricsHouse, registry: Registry): FastifyPluginAsync {
  const refresh = addGauges(house, registry)
  return async (server) => {
    await server.register(async (scope) => {
      rawRoutes(scope)
      scope.get('/metrics', async ({ headers: { authorization } }, reply) => {
        if (authorization === undefined) {
          challenge(reply)
          throw new Fault('Unauthenticated', 'Give the access key of an operator by HTTP Basic.')
        }
        const caller = await callerOfAccessKey(house.database, authorization)
        if (!caller.operator) throw new Fault('Forbidden', 'Only an operator may read the metrics.')
        await refresh()
        await reply.type(registry.contentType).send(await registry.metrics())
      })
      await Promise.resolve()
    })
  }
}
