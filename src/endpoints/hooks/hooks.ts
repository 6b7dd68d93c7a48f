/** Where the payment processor calls: `POST /hooks/stripe`, answered 200 only once the event is durable. */
import type { FastifyPluginCallback } from 'fastify'
import { Fault } from '../../base/fault.ts'
import type { Database } from '../../database/database.ts'
import { acceptEvent } from '../../payments/accept-event.ts'
import type { Processor } from '../../payments/processor.ts'
import { rawRoutes } from '../../http/route-kind.ts'

export function hooksEndpoint(house: { database: Database; processor: Processor }): FastifyPluginCallback {
  return (scope, _options, done) => {
    rawRoutes(scope)
    scope.post('/hooks/stripe', async (request, reply) => {
      const signature = request.headers['stripe-signature']
      if (typeof signature !== 'string' || !Buffer.isBuffer(request.body)) {
        throw new Fault('Unauthenticated', 'A webhook carries a JSON body and the Stripe-Signature header.')
      }
      await acceptEvent(house.database, house.processor, request.body, signature)
      await reply.send({ received: true })
    })
    done()
  }
}
