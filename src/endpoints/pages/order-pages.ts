/** The order pipeline (spec §4): purchase URL → sign in or up → product, price, card, terms → Place your order → confirmation. */
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { listAccessKeys } from '../../accounts/list-access-keys.ts'
import { Fault } from '../../base/fault.ts'
import { displayAmount, formatMinor, isCurrency, parseAmount } from '../../base/money.ts'
import { html, type Markup } from '../../http/markup.ts'
import { orderQuote } from '../../orders/order-quote.ts'
import type { OrderQuote } from '../../orders/orders.ts'
import { placeOrder, type PlacedOrder } from '../../orders/place-order.ts'
import { allowCardPage, openCardPage, takeCard } from './card.ts'
import { amount, drawCard, drawContact, drawPrice, facts } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { field, readerOf, requireReader, sendPage } from './reader.ts'

interface OfferingPath {
  Params: { offeringCode: string }
}

export function addOrderPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get<OfferingPath>('/purchase/:offeringCode', async (request, reply) => {
    const { offeringCode } = request.params
    const reader = await readerOf(house, request)
    const session = field(request.query, 'session')
    let problem: string | undefined
    if (session !== '' && reader !== undefined) {
      problem = await takeCard(house, reader, session)
      // The address without the session, so that a reload asks nothing twice.
      if (problem === undefined) return await reply.redirect(`/purchase/${encodeURIComponent(offeringCode)}`, 303)
    }
    const quote = await database.read((tx) => orderQuote(tx, { accountId: reader?.account.accountId, offeringCode }))
    allowCardPage(database.config, reply)
    await sendPage(reply, drawOrder({ quote, reader, offeringCode, problem }))
  })

  scope.post<OfferingPath>('/purchase/:offeringCode/card', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    await reply.redirect(
      await openCardPage(house, reader, `/purchase/${encodeURIComponent(request.params.offeringCode)}`),
      303,
    )
  })

  scope.post<OfferingPath>('/purchase/:offeringCode', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { offeringCode } = request.params
    const { body } = request
    const currency = field(body, 'currency')
    if (!isCurrency(currency))
      throw new Fault('InvalidParameter', 'The order page is incomplete; open the purchase URL again.')
    const { accountId } = reader.account
    try {
      const { placed, hasKeys } = await database.transaction(async (tx) => ({
        placed: await placeOrder(tx, {
          accountId,
          offeringCode,
          nonce: field(body, 'nonce'),
          agreedInitialCharge: parseAmount(field(body, 'initialCharge'), currency).minor,
          agreedPriceVersion: Number(field(body, 'priceVersion')),
          termsAccepted: field(body, 'terms') === 'accepted',
        }),
        hasKeys: (await listAccessKeys(tx, accountId)).length > 0,
      }))
      await sendPage(reply, drawConfirmation(placed, reader, hasKeys))
    } catch (error) {
      if (!(error instanceof Fault) || error.code === 'ProductNotFound') throw error
      const quote = await database.read((tx) => orderQuote(tx, { accountId, offeringCode }))
      allowCardPage(database.config, reply)
      await sendPage(reply, drawOrder({ quote, reader, offeringCode, problem: error.message }), error.status)
    }
  })
}

interface OrderView {
  readonly quote: OrderQuote
  readonly reader: Reader | undefined
  readonly offeringCode: string
  readonly problem: string | undefined
}

function drawOrder({ quote, reader, offeringCode, problem }: OrderView): string {
  const { product, price, currency, initialCharge } = quote
  return drawPage({
    title: product.name,
    reader,
    content: html`<h1>${product.name}</h1>
      <p class="lead">by ${product.companyName} · ${drawContact(product.publicContact)}</p>
      ${problem !== undefined && html`<p class="note bad" role="alert">${problem}</p>`}
      <p class="prose">${product.description}</p>
      <h2>Price</h2>
      ${drawPrice(price)}
      <h2>Today’s charge</h2>
      ${facts([
        quote.oneTime > 0n && ['One-time charge', amount(quote.oneTime, currency)],
        price.monthly > 0n && ['Rest of this month', amount(quote.firstMonth, currency)],
        ['Charged when you order', html`<span class="total">${amount(initialCharge, currency)}</span>`],
      ])}
      <p class="hint">
        Use is billed on the 1st of the next month. Cancel at any time: access ends at once and the unused part of the
        month’s charge is refunded.
      </p>
      ${drawNextStep({ quote, reader, offeringCode, problem })}`,
  })
}

function drawNextStep({ quote, reader, offeringCode }: OrderView): Markup {
  const path = `/purchase/${encodeURIComponent(offeringCode)}`
  if (reader === undefined) {
    const back = encodeURIComponent(path)
    return html`<h2>Sign in to order</h2>
      <div class="actions">
        <a class="button" href="/sign-in?continue=${back}">Sign in</a
        ><a class="button quiet" href="/sign-up?continue=${back}">Make an account</a>
      </div>`
  }
  if (quote.liveSubscription !== undefined) {
    return html`<p class="note">
      You are subscribed to ${quote.product.name}. <a href="/activation">Make an activation key</a> or see it on
      <a href="/billing">Application Billing</a>.
    </p>`
  }
  if (quote.debt.length > 0) {
    return html`<p class="note bad">
      You owe ${quote.debt.map(displayAmount).join(' and ')} of earlier bills. <a href="/billing">Pay them</a>, then
      order.
    </p>`
  }
  const { card, product, initialCharge, currency, price } = quote
  const cardForm = (label: string, quiet: boolean): Markup =>
    html`<form method="post" action="${path}/card"><button${quiet && html` class="link"`}>${label}</button></form>`
  if (card === undefined) {
    return html`<h2>Payment method</h2>
      <p>Your card is entered on the payment processor’s own page; you come back here.</p>
      ${cardForm('Add a card', false)}`
  }
  return html`<h2>Payment method</h2>
    <p>${drawCard(card)} ${cardForm('Use another card', true)}</p>
    <form method="post" action="${path}">
      <input type="hidden" name="nonce" value="${randomBytes(24).toString('base64url')}" />
      <input type="hidden" name="initialCharge" value="${formatMinor(initialCharge, currency)}" />
      <input type="hidden" name="currency" value="${currency}" />
      <input type="hidden" name="priceVersion" value="${price.version}" />
      ${
        product.terms !== undefined &&
        html`<h2>Terms</h2>
          <div class="card prose">${product.terms}</div>
          <p class="check">
            <input type="checkbox" id="terms" name="terms" value="accepted" required /><label for="terms"
              >I accept the terms of ${product.companyName}.</label
            >
          </p>`
      }
      <div class="actions">
        <button>Place your order</button><span class="total">${amount(initialCharge, currency)} now</span>
      </div>
    </form>`
}

function drawConfirmation(placed: PlacedOrder, reader: Reader, hasKeys: boolean): string {
  const { product, subscription, activationKey, redirectUrl, repeated } = placed
  const failed = activationKey === undefined
  return drawPage({
    title: 'Thank you',
    reader,
    content: html`<h1>
        ${failed ? 'This order has ended' : repeated ? 'You have this already' : 'Thank you, your order is placed'}
      </h1>
      ${
        failed
          ? html`<p class="note bad">
              The order of ${product.name} did not lead to a subscription that is alive.
              <a href="/purchase/${product.offeringCode}">Order again</a>
            </p>`
          : html`<p class="lead">
                ${product.name} by ${product.companyName} is yours
                ${subscription.state === 'pending' ? 'as soon as the payment is confirmed, usually within seconds; a mail tells you' : 'now'}.
              </p>
              <section class="card">
                <h2>Activation key</h2>
                <p class="mono wrap total" id="activation-key">${activationKey}</p>
                <p class="hint">Good for one hour. New ones are made under <a href="/activation">Activation</a>.</p>
                ${redirectUrl !== undefined && html`<div class="actions"><a class="button" id="go-to-application" href="${redirectUrl}">Go to application</a></div>`}
              </section>`
      }
      ${
        !hasKeys &&
        html`<section class="card">
          <h2>You have no access key yet</h2>
          <p>Launching takes credentials of your own: an access key id and its secret.</p>
          <form method="post" action="/account/access-keys"><button>Make an access key</button></form>
        </section>`
      }
      <p>Product code <code>${product.productCode}</code> · <a href="/billing">Application Billing</a></p>`,
  })
}
