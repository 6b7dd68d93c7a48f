/** The start page: what this is, and where to go from here. */
import type { FastifyInstance } from 'fastify'
import { publicUrlOf } from '../../base/config.ts'
import { html } from '../../http/markup.ts'
import { drawPage } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { readerOf, sendPage } from './reader.ts'

export function addHomePage(scope: FastifyInstance, house: PagesHouse): void {
  scope.get('/', async (request, reply) => {
    const reader = await readerOf(house, request)
    const url = publicUrlOf(house.database.config)
    await sendPage(
      reply,
      drawPage({
        title: 'Machine images, sold',
        reader,
        content: html`<h1>Machine images, sold</h1>
          <p class="lead">
            Sellers put a product code on an image and share it. Buyers subscribe, and launch it with their own
            credentials through the ordinary EC2 API. What runs is metered, billed monthly, collected, and paid out.
          </p>
          <div class="columns">
            <section class="card">
              <h2>Buying</h2>
              <p>
                Open a seller’s purchase URL and place your order. Everything you own is on
                <a href="/billing">Application Billing</a>; activation keys are made under
                <a href="/activation">Activation</a>.
              </p>
            </section>
            <section class="card">
              <h2>Selling</h2>
              <p>
                <a href="/seller/products/new">Register a product</a>, put its code on your images, and watch what it
                earns under <a href="/seller">Seller activity</a>.
              </p>
            </section>
            <section class="card">
              <h2>Programs</h2>
              <p>
                EC2 and STS: <code class="wrap">--endpoint-url ${url}</code><br />REST:
                <a href="/api/v1/openapi.json">OpenAPI document</a>
              </p>
            </section>
          </div>
          ${reader === undefined && html`<div class="actions"><a class="button" href="/sign-in">Sign in</a><a class="button quiet" href="/sign-up">Make an account</a></div>`}`,
      }),
    )
  })
}
