/** A seller's product: what was registered, its codes and token, its price beside the cloud's rates, its state. */
import type { FastifyInstance } from 'fastify'
import { publicUrlOf } from '../../base/config.ts'
import { Fault } from '../../base/fault.ts'
import { formatRate } from '../../base/money.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import { configurationOf } from '../../products/allows.ts'
import { describeDimension, instanceHours } from '../../products/dimension.ts'
import { findProduct, productToken } from '../../products/find-product.ts'
import { rateCardInForce } from '../../products/find-rate-card.ts'
import { priceInForce } from '../../products/price-in-force.ts'
import { isOnSale, purchaseUrl, type Product } from '../../products/products.ts'
import { markupOf } from '../../products/quote-price.ts'
import { submitProduct } from '../../products/submit-product.ts'
import { withdrawProduct } from '../../products/withdraw-product.ts'
import { amount, day, describePolicy, facts, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { field, requireReader, sendPage } from './reader.ts'

interface ProductPath {
  Params: { productCode: string }
}

export function addProductPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get<ProductPath>('/seller/products/:productCode', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const view = await database.read((tx) => productView(tx, reader, request.params.productCode))
    await sendPage(reply, drawProduct(view, reader))
  })

  scope.post<ProductPath>('/seller/products/:productCode', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { productCode } = request.params
    const change = { productCode, actor: reader.account.accountId }
    await database.transaction(async (tx) => {
      await requireOwn(tx, reader, productCode)
      if (field(request.body, 'do') === 'submit') await submitProduct(tx, change)
      else if (field(request.body, 'do') === 'withdraw') await withdrawProduct(tx, change)
      else throw new Fault('InvalidParameter', 'A product is submitted or withdrawn.')
    })
    await reply.redirect(`/seller/products/${productCode}`, 303)
  })
}

/** @throws Fault ProductNotFound also for another seller's: which codes there are is nobody's business */
async function requireOwn(tx: Transaction, reader: Reader, productCode: string) {
  const product = await findProduct(tx, productCode)
  if (product?.sellerAccountId === reader.account.accountId) return product
  throw new Fault('ProductNotFound', 'There is no such product of yours.')
}

async function productView(tx: Transaction, reader: Reader, productCode: string) {
  const product = await requireOwn(tx, reader, productCode)
  return {
    product,
    url: purchaseUrl(publicUrlOf(tx.config), product.offeringCode),
    token: await productToken(tx, productCode),
    price: await priceInForce(tx, productCode, tx.now),
    rateCard: await rateCardInForce(tx, tx.now),
    configuration: await configurationOf(tx, productCode),
  }
}

type ProductView = Awaited<ReturnType<typeof productView>>

function drawProduct(view: ProductView, reader: Reader): string {
  const { product, url, token, price } = view
  const { currency } = product
  return drawPage({
    title: product.name,
    section: '/seller',
    reader,
    content: html`<p class="back"><a href="/seller">Seller activity</a></p>
      <h1>${product.name}</h1>
      <p class="lead">${product.companyName}</p>
      ${facts([
        ['State', state(product.state)],
        product.stateReason !== undefined && ['Reason', product.stateReason],
        ['Product code', html`<code id="product-code">${product.productCode}</code>`],
        ['Purchase URL', html`<span id="purchase-url">${drawPurchaseUrl(product, url)}</span>`],
        ['Registered', day(product.createdAt)],
        ['When access ends', describePolicy(product.endOfAccessPolicy)],
      ])}
      ${drawStateForm(view)}
      <h2>Price</h2>
      ${
        price.oneTime + price.monthly > 0n &&
        facts([
          price.oneTime > 0n && ['Once, at sign-up', amount(price.oneTime, currency)],
          price.monthly > 0n && ['Every month, in advance', amount(price.monthly, currency)],
        ])
      }
      ${drawRates(view)}
      <h2>What buyers see</h2>
      <p class="prose">${product.description}</p>
      ${facts([
        ['Public contact', product.publicContact],
        ['After the purchase', html`<span class="wrap">${product.redirectUrl}</span>`],
      ])}
      ${
        product.terms !== undefined &&
        html`<h3>Terms</h3>
          <div class="card prose">${product.terms}</div>`
      }
      <h2>What only you and the operator see</h2>
      ${facts([
        ['Contact e-mail', product.privateContactEmail],
        ['Contact telephone', product.privateContactTelephone],
      ])}
      <details>
        <summary>Product token</summary>
        <p class="hint">Your software sends it to the License Service. Keep it to yourself.</p>
        <pre class="wrap" id="product-token" tabindex="0">${token}</pre>
      </details>`,
  })
}

/** A link once there is something behind it. */
export function drawPurchaseUrl(product: Product, url: string): Markup {
  return isOnSale(product) ? html`<a class="wrap" href="${url}">${url}</a>` : html`<span class="wrap">${url}</span>`
}

function drawStateForm({ product }: ProductView): Markup {
  const button = (what: string, label: string, look: string): Markup =>
    html`<form method="post" action="/seller/products/${product.productCode}">
      <button class="${look}" name="do" value="${what}">${label}</button>
    </form>`
  switch (product.state) {
    case 'draft':
      return html`<p class="note wait">A draft: only you see it. Hand it in, and the operator decides.</p>
        <div class="actions">${button('submit', 'Submit for approval', '')}</div>`
    case 'pending-approval':
      return html`<p class="note wait">
        Waiting for the operator’s approval. You may put its code on your images and try it yourself already.
      </p>`
    case 'approved':
      return html`<details>
        <summary>Withdraw it from sale</summary>
        <p>No new orders are taken, for good; existing subscribers go on.</p>
        ${button('withdraw', 'Withdraw for good', 'danger')}
      </details>`
    case 'rejected':
      return html`<p class="note bad">Rejected. Register the product anew once the reason is dealt with.</p>`
    case 'withdrawn':
      return html`<p class="note">No longer sold; existing subscribers go on.</p>`
  }
}

function drawRates({ price, rateCard, configuration }: ProductView): Markup {
  return html`${table({
      label: 'Hourly rates beside the cloud’s',
      columns: [
        { label: 'Use' },
        { label: `Your rate, ${price.currency} an hour`, number: true },
        { label: 'The cloud’s', number: true },
        { label: 'Markup', number: true },
        { label: 'In percent', number: true },
      ],
      rows: configuration.map((row) => {
        const dimension = instanceHours(row)
        const rate = price.rates.get(dimension) ?? 0n
        const cloud = rateCard.rateOf(dimension)
        const { markup, markupPercent } = markupOf(rate, cloud)
        const percent = markupPercent === undefined ? '' : `${markupPercent} %`
        return [describeDimension(dimension), formatRate(rate), formatRate(cloud), markup, percent]
      }),
      empty: 'The product covers nothing.',
    })}
    <p class="hint">The product covers exactly these. What buyers pay replaces the cloud’s rate, which you owe.</p>`
}
