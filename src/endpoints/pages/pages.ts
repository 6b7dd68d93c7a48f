/**
 * The pages, drawn by the server and whole without JavaScript: signing in, the order pipeline, the buyer's billing and
 * activation, the seller's activity, the operator's desk. Every form is guarded against other sites before it is read.
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Database } from '../../database/database.ts'
import { pageRoutes } from '../../http/route-kind.ts'
import { guardForm } from '../../identity/form-guard.ts'
import type { People } from '../../identity/people.ts'
import type { Step } from '../../jobs/schedule.ts'
import type { Processor } from '../../payments/processor.ts'
import { addAccountPages } from './account-pages.ts'
import { addActivationPages } from './activation-pages.ts'
import { addBillingPages } from './billing-pages.ts'
import { addHomePage } from './home-page.ts'
import { addOperatorPages } from './operator-pages.ts'
import { addOrderPages } from './order-pages.ts'
import { addSellerPages } from './seller-pages.ts'
import { addSignInPages } from './sign-in-pages.ts'
import { styleSheet, styleSheetPath } from './style.ts'

/** What the pages work with. */
export interface PagesHouse {
  readonly database: Database
  readonly processor: Processor
  readonly people: People
  advance(to: Date, report?: (step: Step) => void): Promise<void>
}

export function pagesEndpoint(house: PagesHouse): FastifyPluginAsync {
  return async (server) => {
    await server.register(async (scope) => {
      pageRoutes(scope)
      scope.addHook('onRequest', async (request) => {
        if (request.method !== 'GET' && request.method !== 'HEAD') guardForm(house.database.config, request.headers)
        await Promise.resolve()
      })
      scope.get(styleSheetPath, async (_request, reply) => {
        // The name changes with the content, so what is stored once is right for ever.
        await reply
          .type('text/css; charset=utf-8')
          .header('cache-control', 'public, max-age=31536000, immutable')
          .send(styleSheet)
      })
      addHomePage(scope, house)
      addSignInPages(scope, house)
      addOrderPages(scope, house)
      addBillingPages(scope, house)
      addActivationPages(scope, house)
      addSellerPages(scope, house)
      addAccountPages(scope, house)
      addOperatorPages(scope, house)
      await Promise.resolve()
    })
  }
}
