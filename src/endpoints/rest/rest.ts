/**
 * The REST API, `/api/v1`: JSON in and out, amounts as decimal strings, refusals as problem+json, described by its own
 * OpenAPI document at `/api/v1/openapi.json`. Callers are an access key (HTTP Basic, id and secret) or a signed-in person.
 */
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Caller } from '../../accounts/accounts.ts'
import { Fault } from '../../base/fault.ts'
import type { Step } from '../../jobs/schedule.ts'
import type { Database } from '../../database/database.ts'
import { restRoutes } from '../../http/route-kind.ts'
import type { People } from '../../identity/people.ts'
import type { Processor } from '../../payments/processor.ts'
import { addAccountRoutes } from './account-routes.ts'
import { authenticate, challenge } from './authenticate.ts'
import { addBillRoutes } from './bill-routes.ts'
import { apiDocument, describeRoutes } from './describe-api.ts'
import { addOperatorRoutes } from './operator-routes.ts'
import { addProductRoutes } from './product-routes.ts'
import { refuseInput } from './refuse-input.ts'
import { addSellerRoutes } from './seller-routes.ts'
import { addSubscriptionRoutes } from './subscription-routes.ts'

/** What the routes work with. */
export interface RestHouse {
  readonly database: Database
  readonly processor: Processor
  readonly people: People
  advance(to: Date, report?: (step: Step) => void): Promise<void>
}

export type RestScope = FastifyInstance<
  FastifyInstance['server'],
  Parameters<FastifyInstance['routing']>[0],
  Parameters<FastifyInstance['routing']>[1],
  FastifyInstance['log'],
  ZodTypeProvider
>

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set for every route of the REST API before its handler runs. */
    caller: Caller
  }
}

const prefix = '/api/v1'

export function restEndpoint(house: RestHouse): FastifyPluginAsync {
  return async (server) => {
    await server.register(
      async (plain) => {
        restRoutes(plain)
        plain.setValidatorCompiler(refuseInput)
        plain.setSerializerCompiler(serializerCompiler)
        await plain.register(swagger, apiDocument)
        plain.get('/openapi.json', { schema: { hide: true } }, () => plain.swagger())
        await plain.register(async (closed) => {
          closed.addHook('onRequest', async (request, reply) => {
            try {
              request.caller = await authenticate(house, request)
              request.logFields['account'] = request.caller.accountId
            } catch (error) {
              if (error instanceof Fault && error.code === 'Unauthenticated') challenge(reply)
              throw error
            }
          })
          closed.addHook('preHandler', async ({ body, routeOptions }) => {
            if (routeOptions.schema?.body !== undefined || isEmpty(body)) return
            throw new Fault('UnknownParameter', 'This address takes no body; leave it out.', {
              data: { parameter: 'body' },
            })
          })
          describeRoutes(closed)
          const scope = closed.withTypeProvider<ZodTypeProvider>()
          addAccountRoutes(scope, house)
          addProductRoutes(scope, house)
          addSubscriptionRoutes(scope, house)
          addBillRoutes(scope, house)
          addSellerRoutes(scope, house)
          addOperatorRoutes(scope, house)
          await Promise.resolve()
        })
      },
      { prefix },
    )
  }
}

/** Clients that always send JSON send an empty object. */
function isEmpty(body: unknown): boolean {
  return body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)
}
