/** Application Activation (spec §9): the products a buyer owns, and a new activation key for any of them. */
import type { FastifyInstance } from 'fastify'
import { Fault } from '../../base/fault.ts'
import { html } from '../../http/markup.ts'
import { redirectUrl } from '../../orders/redirect-url.ts'
import { requireProduct } from '../../products/find-product.ts'
import { findSubscription, listSubscriptions } from '../../subscriptions/find-subscription.ts'
import { makeActivationKey } from '../../subscriptions/make-activation-key.ts'
import { isLive, type Subscription } from '../../subscriptions/subscriptions.ts'
import { productsOf, type Products } from './bill-lines.ts'
import { day, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { requireReader, sendPage } from './reader.ts'

export function addActivationPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/activation', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const owned = await database.read(async (tx) => {
      const live = (await listSubscriptions(tx, { accountId: reader.account.accountId })).filter(isLive)
      return { live, products: await productsOf(tx, live) }
    })
    await sendPage(reply, drawActivation(reader, owned.live, owned.products))
  })

  scope.post<{ Params: { subscriptionId: string } }>('/activation/:subscriptionId', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const reference = { accountId: reader.account.accountId, subscriptionId: request.params.subscriptionId }
    const { key, product } = await database.transaction(async (tx) => {
      const subscription = await findSubscription(tx, reference)
      if (subscription === undefined) throw new Fault('NotFound', 'There is no such subscription in this account.')
      return {
        key: await makeActivationKey(tx, reference),
        product: await requireProduct(tx, subscription.productCode),
      }
    })
    const application = redirectUrl(product.redirectUrl, { activationKey: key, productCode: product.productCode })
    await sendPage(
      reply,
      drawPage({
        title: 'Activation key',
        section: '/activation',
        reader,
        content: html`<h1>Activation key for ${product.name}</h1>
          <section class="card">
            <p class="mono wrap total" id="activation-key">${key}</p>
            <p class="hint">Good for one hour; shown this once.</p>
            <div class="actions">
              <a class="button" id="go-to-application" href="${application}">Go to application</a
              ><a href="/activation">Back</a>
            </div>
          </section>`,
      }),
    )
  })
}

function drawActivation(reader: Reader, live: readonly Subscription[], products: Products): string {
  const rows = live.map((subscription) => {
    const product = products.get(subscription.productCode)
    const name = product?.name ?? subscription.productCode
    return [
      html`<a href="/billing/subscriptions/${subscription.subscriptionId}">${name}</a
        ><span class="hint"> by ${product?.companyName}</span>`,
      state(subscription.state),
      day(subscription.createdAt),
      html`<form method="post" action="/activation/${subscription.subscriptionId}">
        <button class="quiet" aria-label="Make a key for ${name}">Make a key</button>
      </form>`,
    ]
  })
  return drawPage({
    title: 'Application Activation',
    section: '/activation',
    reader,
    content: html`<h1>Application Activation</h1>
      <p class="lead">
        An activation key tells a seller’s software that you bought it. Each is good for one hour and for one product.
      </p>
      ${table({
        label: 'Products you own',
        columns: [{ label: 'Product' }, { label: 'State' }, { label: 'Since' }, { label: 'Activation key' }],
        rows,
        empty: 'You own no product yet. Sellers give you a purchase URL; what you buy there appears here.',
      })}`,
  })
}
