/** One subscription: what it is, whom to ask, what it costs, and cancelling it. */
import type { FastifyInstance } from 'fastify'
import { Fault } from '../../base/fault.ts'
import { displayAmount } from '../../base/money.ts'
import { monthOf, nextMonth } from '../../base/period.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import { estimateMonth } from '../../invoices/estimate-month.ts'
import { cancelSubscription } from '../../orders/cancel-subscription.ts'
import { findOrder } from '../../orders/find-order.ts'
import { previewCancellation } from '../../orders/preview-cancellation.ts'
import { listRefunds } from '../../payments/list-refunds.ts'
import { requireProduct } from '../../products/find-product.ts'
import { priceInForce } from '../../products/price-in-force.ts'
import type { EndOfAccessPolicy } from '../../products/products.ts'
import { findSubscription } from '../../subscriptions/find-subscription.ts'
import { isLive, type EndReason } from '../../subscriptions/subscriptions.ts'
import { drawLines, productsOf } from './bill-lines.ts'
import { amount, day, describePolicy, drawContact, drawPrice, facts, minute, state } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { field, requireReader, sendPage } from './reader.ts'

interface SubscriptionPath {
  Params: { subscriptionId: string }
}

const reasons: Readonly<Record<EndReason, string>> = {
  'payment-refused': 'the initial payment was refused',
  'cancelled-by-buyer': 'you cancelled it',
  'non-payment': 'a bill could not be collected',
  'cancelled-by-operator': 'the operator cancelled it',
}

export function addSubscriptionPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get<SubscriptionPath>('/billing/subscriptions/:subscriptionId', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const view = await database.read((tx) => subscriptionView(tx, reader, request.params.subscriptionId))
    await sendPage(reply, drawSubscription(view, reader, field(request.query, 'cancelled') !== ''))
  })

  scope.get<SubscriptionPath>('/billing/subscriptions/:subscriptionId/cancel', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { subscriptionId } = request.params
    const view = await database.transaction(async (tx) => {
      const found = await subscriptionView(tx, reader, subscriptionId)
      return { ...found, ...(await previewCancellation(tx, found.subscription)) }
    })
    if (view.subscription.state !== 'active')
      return await reply.redirect(`/billing/subscriptions/${subscriptionId}`, 303)
    await sendPage(reply, drawCancel(view, reader, database.config.endOfAccessGraceMinutes))
  })

  scope.post<SubscriptionPath>('/billing/subscriptions/:subscriptionId/cancel', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { accountId } = reader.account
    const { subscriptionId } = request.params
    await database.transaction((tx) => cancelSubscription(tx, { accountId, subscriptionId, actor: accountId }))
    await reply.redirect(`/billing/subscriptions/${subscriptionId}?cancelled=1`, 303)
  })
}

async function subscriptionView(tx: Transaction, reader: Reader, subscriptionId: string) {
  const of = { accountId: reader.account.accountId, subscriptionId }
  const subscription = await findSubscription(tx, of)
  if (subscription === undefined) throw new Fault('NotFound', 'There is no such subscription in this account.')
  const product = await requireProduct(tx, subscription.productCode)
  const price = await priceInForce(tx, product.productCode, tx.now)
  const estimate = await estimateMonth(tx, { accountId: of.accountId })
  const lines = estimate.products.flatMap((one) => one.lines).filter((line) => line.subscriptionId === subscriptionId)
  return {
    subscription,
    product,
    products: await productsOf(tx, [subscription]),
    price,
    lines,
    order: await findOrder(tx, of),
    refunds: await listRefunds(tx, of),
    month: monthOf(tx.now),
  }
}

type SubscriptionView = Awaited<ReturnType<typeof subscriptionView>>

function drawSubscription(view: SubscriptionView, reader: Reader, justCancelled: boolean): string {
  const { subscription, product, price, lines, month, order, products, refunds } = view
  const { endedAt, endReason, activatedAt } = subscription
  return drawPage({
    title: product.name,
    section: '/billing',
    reader,
    content: html`<p class="back"><a href="/billing">Application Billing</a></p>
      <h1>${product.name}</h1>
      <p class="lead">by ${product.companyName} · ${drawContact(product.publicContact)}</p>
      ${justCancelled && endedAt !== undefined && drawJustCancelled(view)}
      <p class="prose">${product.description}</p>
      ${facts([
        ['State', state(subscription.state)],
        endReason !== undefined && ['Ended because', reasons[endReason]],
        ['Ordered', minute(subscription.createdAt)],
        activatedAt !== undefined && ['Active since', minute(activatedAt)],
        endedAt !== undefined && ['Ended', minute(endedAt)],
        order !== undefined && ['Charged at sign-up', amount(order.oneTime + order.firstMonth, order.currency)],
        ...refunds.map(
          (one) => ['Refunded', html`${amount(one.amount, one.currency)} on ${day(one.startedAt)}`] as const,
        ),
        ['Product code', html`<code>${product.productCode}</code>`],
        ['When access ends', describePolicy(product.endOfAccessPolicy)],
      ])}
      <h2>${month} so far</h2>
      ${
        lines.length === 0
          ? html`<p class="empty">Nothing was charged or used in ${month}.</p>`
          : drawLines({ label: `${month} so far`, lines, currency: product.currency, products, total: 'So far' })
      }
      <h2>Price</h2>
      ${drawPrice(price)}
      ${
        product.terms !== undefined &&
        html`<h2>Terms</h2>
          <div class="card prose">${product.terms}</div>`
      }
      ${drawActions(view)}`,
  })
}

function drawJustCancelled({ refunds, month }: SubscriptionView): Markup {
  const [refund] = refunds
  return html`<p class="note" role="status">
    Cancelled.
    ${refund === undefined ? 'Nothing is refunded' : `${amount(refund.amount, refund.currency)} is refunded to your card`};
    use so far is billed on ${nextMonth(month)}-01.
  </p>`
}

function drawActions({ subscription, product }: SubscriptionView): Markup {
  if (!isLive(subscription)) {
    return html`<div class="actions">
      <a class="button quiet" href="/purchase/${product.offeringCode}">Order it again</a>
    </div>`
  }
  return html`<div class="actions">
    <form method="post" action="/activation/${subscription.subscriptionId}">
      <button class="quiet">Make an activation key</button>
    </form>
    ${
      subscription.state === 'active'
        ? html`<a class="button danger" href="/billing/subscriptions/${subscription.subscriptionId}/cancel"
            >Cancel use</a
          >`
        : html`<span class="hint">The order is being vetted; it can be cancelled once the outcome is known.</span>`
    }
  </div>`
}

function drawCancel(
  view: SubscriptionView & Awaited<ReturnType<typeof previewCancellation>>,
  reader: Reader,
  graceMinutes: number,
): string {
  const { subscription, product, lines, month, refund } = view
  const used = lines.filter((line) => line.kind === 'usage').reduce((total, line) => total + line.amount, 0n)
  return drawPage({
    title: `Cancel ${product.name}`,
    section: '/billing',
    reader,
    narrow: true,
    content: html`<h1>Cancel ${product.name}?</h1>
      <ul>
        <li>Access ends at once: new launches are refused from now on.</li>
        <li>${whatBecomesOfInstances(product.endOfAccessPolicy, graceMinutes)}</li>
        <li>
          ${
            refund === undefined
              ? 'Nothing is refunded: no part of a monthly charge that was collected is unused.'
              : html`<strong>${displayAmount(refund)}</strong> is refunded to your card, the unused part of this month’s
                  charge.`
          }
        </li>
        <li>
          ${
            used === 0n
              ? `Use so far, if any, is billed on ${nextMonth(month)}-01.`
              : html`Use so far, <strong>${amount(used, product.currency)}</strong>, is billed on
                  ${nextMonth(month)}-01.`
          }
        </li>
        <li>A one-time charge is not refunded, and is due again if you come back.</li>
      </ul>
      <form method="post" action="/billing/subscriptions/${subscription.subscriptionId}/cancel">
        <div class="actions">
          <button class="danger">Cancel use</button>
          <a href="/billing/subscriptions/${subscription.subscriptionId}">Keep it</a>
        </div>
      </form>`,
  })
}

function whatBecomesOfInstances(policy: EndOfAccessPolicy, graceMinutes: number): string {
  if (policy === 'leave-running') return 'Instances that run now go on running, and their use is billed.'
  const words = describePolicy(policy).replace('running', 'Running')
  return `${words} ${graceMinutes === 0 ? 'at once' : `${graceMinutes} minutes later`}; use until then is billed.`
}
