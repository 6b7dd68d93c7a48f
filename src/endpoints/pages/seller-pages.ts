/** The seller's pages: activity of a month, transactions, products. */
import type { FastifyInstance } from 'fastify'
import { findSeller } from '../../accounts/ensure-seller.ts'
import { publicUrlOf } from '../../base/config.ts'
import { displayAmount } from '../../base/money.ts'
import { monthOf, parseMonth, type Month } from '../../base/period.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import { sellerBalances } from '../../ledger/sum-balance.ts'
import { describeDimension } from '../../products/dimension.ts'
import { listProducts } from '../../products/find-product.ts'
import { purchaseUrl, type Product } from '../../products/products.ts'
import { listPayouts, type Payout } from '../../settlement/pay-out.ts'
import {
  sellerActivity,
  sellerTransactions,
  type ProductActivity,
  type SellerActivity,
} from '../../settlement/seller-figures.ts'
import { subscriptionReport, type SubscriptionReport } from '../../subscriptions/subscription-report.ts'
import { amount, day, facts, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { addProductPages, drawPurchaseUrl } from './product-pages.ts'
import { field, requireReader, sendPage } from './reader.ts'
import { addRegisterPages } from './register-pages.ts'
import { addTransactionPages, drawTransactions } from './transaction-pages.ts'

const transactionsShown = 10
const payoutsShown = 10
const productsShown = 1000

export function addSellerPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/seller', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const month = field(request.query, 'month') === '' ? undefined : parseMonth(field(request.query, 'month'))
    const view = await database.read((tx) => sellerView(tx, reader, month))
    await sendPage(reply, drawActivity(view, reader))
  })
  addRegisterPages(scope, house)
  addProductPages(scope, house)
  addTransactionPages(scope, house)
}

async function sellerView(tx: Transaction, reader: Reader, asked: Month | undefined) {
  const sellerAccountId = reader.account.accountId
  const month = asked ?? monthOf(tx.now)
  return {
    month,
    current: month === monthOf(tx.now),
    publicUrl: publicUrlOf(tx.config),
    seller: await findSeller(tx, sellerAccountId),
    activity: await sellerActivity(tx, { sellerAccountId, month }),
    report: await subscriptionReport(tx, { sellerAccountId, month }),
    products: await listProducts(tx, { sellerAccountId, limit: productsShown }),
    transactions: await sellerTransactions(tx, { sellerAccountId, limit: transactionsShown }),
    payouts: await listPayouts(tx, { sellerAccountId, limit: payoutsShown }),
    balances: await sellerBalances(tx, { sellerAccountId }),
  }
}

type SellerView = Awaited<ReturnType<typeof sellerView>>

function drawActivity(view: SellerView, reader: Reader): string {
  const { seller, products, publicUrl } = view
  const register = html`<a class="button" href="/seller/products/new">Register a product</a>`
  return drawPage({
    title: 'Seller activity',
    section: '/seller',
    reader,
    content:
      seller === undefined
        ? html`<h1>Seller activity</h1>
            <p class="empty">
              You sell nothing yet. Register a product, put its code on your images, and share them: everybody who
              launches one pays your price.
            </p>
            <div class="actions">${register}</div>`
        : html`<h1>Seller activity</h1>
            <p class="lead">${seller.companyName}</p>
            ${
              !seller.bankAccountVerified &&
              html`<p class="note wait">
                Your bank account is not verified yet, so nothing is paid out. The operator verifies it.
              </p>`
            }
            ${drawMoney(view)}
            <h2>Products</h2>
            ${drawProducts(products, publicUrl)}
            <div class="actions">${register}</div>
            <h2>Subscriptions</h2>
            ${drawReport(view.report)}
            <h2 id="transactions">Latest transactions</h2>
            ${drawTransactions(view.transactions, products)}
            <p><a href="/seller/transactions">All transactions</a></p>
            <h2>Payouts</h2>
            ${drawPayouts(view.payouts)}`,
  })
}

function drawMoney({ month, current, activity, balances }: SellerView): Markup {
  return html`<div class="columns">
      ${activity.totals.map(
        (total) =>
          html`<section class="card">
              <p class="label">Expected revenue${current ? ', so far' : ''}</p>
              <p class="figure" id="expected-revenue">${amount(total.expectedRevenue, total.currency)}</p>
            </section>
            <section class="card">
              <p class="label">Collected</p>
              <p class="figure">${amount(total.actualRevenue, total.currency)}</p>
            </section>
            <section class="card">
              <p class="label">Value-add</p>
              <p class="figure">${amount(total.valueAdd, total.currency)}</p>
            </section>`,
      )}
      <section class="card">
        <p class="label">Balance</p>
        <p class="figure">${balances.length === 0 ? '0' : balances.map(displayAmount).join(' · ')}</p>
      </section>
    </div>
    <h2>${current ? 'Month to date' : `Month ${month}`}</h2>
    <form class="row" method="get" action="/seller">
      <label for="month">Month</label>
      <input id="month" name="month" type="month" value="${month}" pattern="[0-9]{4}-[0-9]{2}" placeholder="2026-06" />
      <button class="quiet">Show</button>
    </form>
    ${drawWaterfall(activity)} ${drawUsage(activity)}`
}

/** Products side by side; each line of the waterfall is one column. */
function drawWaterfall({ products, totals }: SellerActivity): Markup {
  const columns = [
    { label: 'Product' },
    { label: 'Expected', number: true },
    { label: 'Collected', number: true },
    { label: 'Refunds', number: true },
    { label: 'Cloud cost', number: true },
    { label: 'Value-add', number: true },
    { label: 'Fees', number: true },
    { label: 'Bills', number: true },
    { label: 'Net so far', number: true },
  ]
  const figures = (one: Omit<ProductActivity, 'productCode' | 'name' | 'usage'>): string[] => [
    amount(one.expectedRevenue, one.currency),
    amount(one.actualRevenue, one.currency),
    amount(-one.refunds, one.currency),
    amount(-one.cost, one.currency),
    amount(one.valueAdd, one.currency),
    amount(-one.percentageFees - one.transactionFees, one.currency),
    `${one.transactions}`,
    amount(one.net, one.currency),
  ]
  const [total, ...others] = totals
  return html`${table({
      label: 'Revenue, costs and fees by product',
      columns,
      rows: products.map((one) => [
        html`<a href="/seller/products/${one.productCode}">${one.name}</a>`,
        ...figures(one),
      ]),
      empty: 'You have no product yet.',
      ...(total !== undefined && others.length === 0 && { foot: ['Total', ...figures(total)] }),
    })}
    <p class="hint">
      Expected: billed, and use so far at the price in force. Collected: what buyers have paid of it. Value-add:
      expected less refunds and the cloud’s cost. Fees: what was charged so far, the transaction fee for each collected
      bill and the percentage of the value-add. Net so far: what the month has added to your balance.
    </p>`
}

function drawUsage({ products }: SellerActivity): Markup {
  const rows = products.flatMap((product) => [
    ...charge(product, 'One-time charges', product.oneTime),
    ...charge(product, 'Monthly charges', product.monthly),
    ...product.usage.map((one) => [
      product.name,
      `Hours of ${describeDimension(one.dimension)}`,
      `${one.quantity} h`,
      amount(one.amount, product.currency),
      amount(one.cost, product.currency),
    ]),
  ])
  return html`<h3>Where it comes from</h3>
    ${table({
      label: 'Revenue and cost by use',
      columns: [
        { label: 'Product' },
        { label: 'What for' },
        { label: 'Quantity', number: true },
        { label: 'Revenue', number: true },
        { label: 'Cloud cost', number: true },
      ],
      rows,
      empty: 'Nothing was charged or used in this month.',
    })}`
}

function charge({ name, currency }: ProductActivity, what: string, minor: bigint): string[][] {
  return minor === 0n ? [] : [[name, what, '', amount(minor, currency), '']]
}

function drawProducts(products: readonly Product[], publicUrl: string): Markup {
  return table({
    label: 'Products',
    columns: [{ label: 'Product' }, { label: 'Code' }, { label: 'State' }, { label: 'Purchase URL' }],
    rows: products.map((product) => [
      html`<a href="/seller/products/${product.productCode}">${product.name}</a>`,
      html`<code>${product.productCode}</code>`,
      state(product.state),
      drawPurchaseUrl(product, purchaseUrl(publicUrl, product.offeringCode)),
    ]),
    empty: 'You have no product yet.',
  })
}

function drawReport(report: SubscriptionReport): Markup {
  return html`${facts([
    ['Subscribed', `${report.subscribed}`],
    [`New in ${report.month}`, `${report.subscribedNew}`],
    [`Cancelled in ${report.month}`, `${report.cancelled}`],
  ])}
  ${table({
    label: `Subscriptions of ${report.month} by product`,
    columns: [
      { label: 'Product' },
      { label: 'Subscribed', number: true },
      { label: 'New', number: true },
      { label: 'Cancelled', number: true },
    ],
    rows: report.products.map((one) => [one.name, `${one.subscribed}`, `${one.subscribedNew}`, `${one.cancelled}`]),
    empty: 'You have no product yet.',
  })}`
}

function drawPayouts(payouts: readonly Payout[]): Markup {
  return table({
    label: 'Payouts',
    columns: [{ label: 'Number' }, { label: 'Started' }, { label: 'State' }, { label: 'Amount', number: true }],
    rows: payouts.map((one) => [
      `${one.payoutNumber}`,
      day(one.startedAt),
      html`${state(one.state)} ${one.failureMessage !== null && html`<span class="hint">${one.failureMessage}</span>`}`,
      amount(one.amount, one.currency),
    ]),
    empty: 'Nothing was paid out yet. Balances are paid out on Mondays, once your bank account is verified.',
  })
}
