/**
 * The payment sandbox: a Stripe-compatible processor inside the service. The unmodified Stripe SDK talks to it; no money
 * moves. Everything it answers is in the database first, so it keeps its state over a crash.
 */
import fastify, { type FastifyError, type FastifyInstance, type FastifyPluginAsync, type FastifyReply } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Log } from '../base/telemetry.ts'
import type { Database } from '../database/database.ts'
import { accountRoutes } from './accounts.ts'
import { answerRequest, refusalAnswer, type ApiAnswer } from './answer-request.ts'
import { chargeRoutes } from './charges.ts'
import { checkoutSessionRoutes } from './checkout-sessions.ts'
import { customerRoutes } from './customers.ts'
import { createDelivery, type Delivery } from './deliver-webhooks.ts'
import { eventRoutes } from './events.ts'
import { checkoutPages } from './pages.ts'
import { paymentIntentRoutes } from './payment-intents.ts'
import { paymentMethodRoutes } from './payment-methods.ts'
import { refundRoutes } from './refunds.ts'
import { Refusal, apiVersion, newObjectId } from './sandbox.ts'
import { setupIntentRoutes } from './setup-intents.ts'
import { transferRoutes } from './transfers.ts'
import type { Route } from './route.ts'

const routes: readonly Route[] = [
  ...customerRoutes,
  ...paymentMethodRoutes,
  ...setupIntentRoutes,
  ...paymentIntentRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...checkoutSessionRoutes,
  ...accountRoutes,
  ...transferRoutes,
  ...eventRoutes,
]

const bodyLimitBytes = 256 * 1024

export interface SandboxOptions {
  readonly database: Database
  readonly log: Log
  /** Where events are delivered to; they wait while it is undefined. */
  readonly webhookUrl: () => string | undefined
  /** Where buyers reach the card page, when `pages` is served elsewhere too. Default: the address listened on. */
  readonly pagesUrl?: () => string | undefined
}

export interface Sandbox {
  /** The key the SDK is given, `sk_test_…`; the same after every start. */
  readonly secretKey: string
  /** The secret the webhooks are signed with, `whsec_…`; the same after every start. */
  readonly webhookSecret: string
  /** The hosted card page (`GET` and `POST /checkout/:id`), to be registered on another server under any prefix. */
  readonly pages: FastifyPluginAsync
  /** Listens on the loopback address. @param port 0 takes a free one */
  listen(port: number): Promise<{ readonly url: string }>
  /** Delivers every undelivered event, failed ones again. @returns how many the receiver took */
  deliverWebhooks(): Promise<number>
  close(): Promise<void>
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { database, log } = options
  const secret = (purpose: string): string => database.sealer.derive(purpose).toString('hex')
  const secretKey = `sk_test_${secret('sandbox secret key').slice(0, 48)}`
  const webhookSecret = `whsec_${secret('sandbox webhook secret')}`
  let ownUrl: string | undefined
  const pagesUrl = (): string => options.pagesUrl?.() ?? ownUrl ?? 'http://127.0.0.1'
  const delivery = createDelivery({ database, log, webhookUrl: options.webhookUrl, webhookSecret })
  const pages = checkoutPages({ database, pagesUrl, deliverSoon: () => delivery.deliverSoon() })
  const app = createServer({ database, log, secretKey, pagesUrl, pages, delivery })
  return {
    secretKey,
    webhookSecret,
    pages,
    async listen(port) {
      await app.listen({ host: '127.0.0.1', port })
      ownUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
      return { url: ownUrl }
    },
    deliverWebhooks: () => delivery.deliver(),
    async close() {
      await app.close()
      await delivery.close()
    },
  }
}

interface ServerParts {
  readonly database: Database
  readonly log: Log
  readonly secretKey: string
  readonly pagesUrl: () => string
  readonly pages: FastifyPluginAsync
  readonly delivery: Delivery
}

function createServer(parts: ServerParts): FastifyInstance {
  const app = fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: 'idle' })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  )
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers({ 'request-id': newObjectId('req'), 'stripe-version': apiVersion })
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) parts.log.error({ err: error, path: request.routeOptions.url }, 'the sandbox failed to answer')
    const body =
      status >= 500
        ? ({ type: 'api_error', message: 'An error occurred in the sandbox; its log says more.' } as const)
        : ({ type: 'invalid_request_error', message: error.message } as const)
    return send(refusalAnswer(new Refusal(status, body)), reply)
  })
  app.setNotFoundHandler((request, reply) => {
    const message = `Unrecognized request URL (${request.method}: ${request.url.split('?')[0]}).`
    return send(refusalAnswer(new Refusal(404, { type: 'invalid_request_error', message })), reply)
  })
  for (const route of routes) addRoute(app, route, parts)
  void app.register(parts.pages)
  return app
}

function send(answer: ApiAnswer, reply: FastifyReply): FastifyReply {
  return reply.status(answer.status).type('application/json; charset=utf-8').send(answer.body)
}

function addRoute(app: FastifyInstance, route: Route, parts: ServerParts): void {
  app.route<{ Params: { id?: string } }>({
    method: route.method,
    url: `/v1/${route.path}`,
    async handler(request, reply) {
      const [path, query] = splitOnce(request.url, '?')
      const key = request.headers['idempotency-key']
      const answer = await answerRequest(
        { database: parts.database, secretKey: parts.secretKey, pagesUrl: parts.pagesUrl() },
        {
          route,
          path,
          id: request.params.id ?? '',
          requestId: String(reply.getHeader('request-id')),
          authorization: request.headers.authorization,
          idempotencyKey: typeof key === 'string' ? key : undefined,
          parameters: route.method === 'POST' && typeof request.body === 'string' ? request.body : query,
        },
      )
      if (typeof key === 'string') void reply.header('idempotency-key', encodeURI(key))
      if (answer.replayed) void reply.header('idempotent-replayed', 'true')
      return send(answer, reply)
    },
    onResponse: async () => {
      if (route.method !== 'GET') parts.delivery.deliverSoon()
    },
  })
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
