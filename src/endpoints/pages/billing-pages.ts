/** Application Billing (spec §9): the month so far, what is owed, the products owned, the statements, the card. */
import type { FastifyInstance } from 'fastify'
import { displayAmount, type Amount } from '../../base/money.ts'
import { monthOf, nextMonth, parseMonth, type Month } from '../../base/period.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import { estimateMonth, type MonthEstimate } from '../../invoices/estimate-month.ts'
import { listInvoices } from '../../invoices/find-invoice.ts'
import type { Invoice } from '../../invoices/invoices.ts'
import { findCard } from '../../payments/find-card.ts'
import { openDebt } from '../../payments/open-debt.ts'
import { listSubscriptions } from '../../subscriptions/find-subscription.ts'
import { isLive, type Subscription } from '../../subscriptions/subscriptions.ts'
import { drawLines, productsOf, type Products } from './bill-lines.ts'
import { allowCardPage, openCardPage, takeCard } from './card.ts'
import { amount, day, drawCard, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { cut, drawOlder, readMark, type Mark } from './paging.ts'
import { field, requireReader, sendPage } from './reader.ts'
import { addStatementPages, drawPayNow } from './statement-pages.ts'
import { addSubscriptionPages } from './subscription-pages.ts'

const statementsShown = 12
const endedShown = 20

export function addBillingPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/billing', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { query } = request
    let problem: string | undefined
    if (field(query, 'session') !== '') {
      problem = await takeCard(house, reader, field(query, 'session'))
      // The address without the session, so that a reload asks nothing twice.
      if (problem === undefined) return await reply.redirect('/billing', 303)
    }
    const productCode = field(query, 'product')
    if (productCode !== '') {
      const found = await database.read((tx) => subscriptionOf(tx, reader, productCode))
      if (found !== undefined) return await reply.redirect(`/billing/subscriptions/${found.subscriptionId}`, 303)
      problem = `This account has never subscribed to a product ${productCode}.`
    }
    const month = field(query, 'month') === '' ? undefined : parseMonth(field(query, 'month'))
    const view = await database.read((tx) => billingView(tx, reader, month, readMark(query)))
    allowCardPage(database.config, reply)
    await sendPage(reply, drawBilling({ ...view, reader, problem }))
  })

  scope.post('/billing/card', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader !== undefined) await reply.redirect(await openCardPage(house, reader, '/billing'), 303)
  })
  addStatementPages(scope, house)
  addSubscriptionPages(scope, house)
}

/** The live subscription of a product, else the latest that ended. */
async function subscriptionOf(tx: Transaction, reader: Reader, productCode: string): Promise<Subscription | undefined> {
  const all = await listSubscriptions(tx, { accountId: reader.account.accountId })
  const ofProduct = all.filter((one) => one.productCode === productCode)
  return ofProduct.find(isLive) ?? ofProduct.at(-1)
}

async function billingView(tx: Transaction, reader: Reader, month: Month | undefined, mark: Mark | undefined) {
  const { accountId } = reader.account
  const estimate = await estimateMonth(tx, { accountId, ...(month && { month }) })
  const subscriptions = await listSubscriptions(tx, { accountId })
  const invoices = await listInvoices(tx, {
    accountId,
    limit: statementsShown + 1,
    ...(mark && { before: { issuedAt: mark.at, invoiceId: mark.id } }),
  })
  const products = await productsOf(tx, [...subscriptions, ...estimate.products])
  const [card, debt] = [await findCard(tx, accountId), await openDebt(tx, accountId)]
  return { estimate, subscriptions, invoices, products, card, debt, firstPage: mark === undefined, now: tx.now }
}

type BillingView = Awaited<ReturnType<typeof billingView>> & {
  readonly reader: Reader
  readonly problem: string | undefined
}

function drawBilling(view: BillingView): string {
  const { reader, problem, debt, products, subscriptions } = view
  const live = subscriptions.filter(isLive)
  const ended = subscriptions.filter((one) => !isLive(one)).toReversed()
  return drawPage({
    title: 'Application Billing',
    section: '/billing',
    reader,
    content: html`<h1>Application Billing</h1>
      <p class="lead">One bill and one charge a month, over all products of all sellers.</p>
      ${problem !== undefined && html`<p class="note bad" role="alert">${problem}</p>`}
      ${debt.length > 0 && drawDebt(debt)} ${drawMonth(view.estimate, products, view.now)}
      <h2>Your products</h2>
      ${drawSubscriptions('Your products', live, products, 'You own no product yet. Sellers give you a purchase URL; what you buy there appears here.')}
      ${
        ended.length > 0 &&
        html`<details>
          <summary>Ended subscriptions</summary>
          ${drawSubscriptions('Ended subscriptions', ended.slice(0, endedShown), products, '')}
        </details>`
      }
      <h2 id="statements">Statements</h2>
      ${drawStatements(view.invoices, view.firstPage)}
      <h2 id="card">Payment method</h2>
      ${drawPaymentMethod(view.card)}`,
  })
}

function drawDebt(debt: readonly Amount[]): Markup {
  return html`<p class="note bad" role="alert">
    You owe <strong>${debt.map(displayAmount).join(' and ')}</strong> of bills that could not be collected. Pay them on
    their <a href="#statements">statements</a>, or <a href="#card">use another card</a>; you cannot order before.
  </p>`
}

function drawMonth(estimate: MonthEstimate, products: Products, now: Date): Markup {
  const { month, final, totals } = estimate
  const current = month === monthOf(now)
  return html`<h2>${current ? 'Month to date' : `Month ${month}`}</h2>
    <form class="row" method="get" action="/billing">
      <label for="month">Month</label>
      <input id="month" name="month" type="month" value="${month}" pattern="[0-9]{4}-[0-9]{2}" placeholder="2026-06" />
      <button class="quiet">Show</button>
    </form>
    ${totals.map(
      ({ currency, amount: total }) =>
        html`<p class="figure" id="month-to-date">
          ${amount(total, currency)} <small>${final ? `for ${month}` : `so far for ${month}`}</small>
        </p>`,
    )}
    ${totals.length === 0 && html`<p class="empty">Nothing was charged or used in ${month}.</p>`}
    ${totals.map(({ currency }) =>
      drawLines({
        label: `Charges and use of ${month} in ${currency}`,
        lines: estimate.products.filter((one) => one.currency === currency).flatMap((one) => one.lines),
        currency,
        products,
        total: final ? 'Total' : 'So far',
      }),
    )}
    ${!final && totals.length > 0 && html`<p class="hint">Use is billed on ${nextMonth(month)}-01; charges for the month were billed at sign-up or on its 1st.</p>`}`
}

function drawSubscriptions(
  label: string,
  subscriptions: readonly Subscription[],
  products: Products,
  empty: string,
): Markup {
  return table({
    label,
    columns: [{ label: 'Product' }, { label: 'Seller' }, { label: 'State' }, { label: 'Since' }],
    rows: subscriptions.map((one) => {
      const product = products.get(one.productCode)
      return [
        html`<a href="/billing/subscriptions/${one.subscriptionId}">${product?.name ?? one.productCode}</a>`,
        product?.companyName ?? '',
        state(one.state),
        html`${day(one.createdAt)}${one.endedAt !== undefined && html` to ${day(one.endedAt)}`}`,
      ]
    }),
    empty,
  })
}

function drawStatements(invoices: readonly Invoice[], firstPage: boolean): Markup {
  const { shown, last } = cut(invoices, statementsShown)
  return html`${table({
    label: 'Statements',
    columns: [
      { label: 'Issued' },
      { label: 'For' },
      { label: 'State' },
      { label: 'Total', number: true },
      { label: '' },
    ],
    rows: shown.map((invoice) => [
      html`<a href="/billing/statements/${invoice.invoiceId}">${day(invoice.issuedAt)}</a>`,
      invoice.kind === 'sign-up' ? 'Sign-up' : invoice.month,
      state(invoice.state),
      amount(invoice.total, invoice.currency),
      drawPayNow(invoice),
    ]),
    empty: 'There are no statements yet. The first is made when you order.',
  })}
  ${drawOlder('/billing', firstPage, last && { at: last.issuedAt, id: last.invoiceId })}`
}

function drawPaymentMethod(card: BillingView['card']): Markup {
  return html`${
      card === undefined
        ? html`<p>There is no card on file. It is entered on the payment processor’s own page; you come back here.</p>`
        : html`<p>${drawCard(card)}. A new card is tried at once on every bill that could not be collected.</p>`
    }
    <form method="post" action="/billing/card">
      <button class="quiet">${card === undefined ? 'Add a card' : 'Use another card'}</button>
    </form>`
}
