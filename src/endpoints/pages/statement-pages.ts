/** One statement, to read, print and pay. */
import type { FastifyInstance } from 'fastify'
import { Fault } from '../../base/fault.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import { findInvoice, type InvoiceWithLines } from '../../invoices/find-invoice.ts'
import type { Invoice } from '../../invoices/invoices.ts'
import type { Collected } from '../../payments/payments.ts'
import { listRefunds } from '../../payments/list-refunds.ts'
import { payNow } from '../../payments/pay-now.ts'
import { drawLines, productsOf, type Products } from './bill-lines.ts'
import { amount, day, facts, minute, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { requireReader, sendPage } from './reader.ts'

interface StatementPath {
  Params: { invoiceId: string }
}

export function addStatementPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database, processor } = house
  scope.get<StatementPath>('/billing/statements/:invoiceId', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const view = await database.read((tx) => statementView(tx, reader, request.params.invoiceId))
    await sendPage(reply, drawStatement({ ...view, reader }))
  })

  scope.post<StatementPath>('/billing/statements/:invoiceId/pay', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { invoiceId } = request.params
    await database.read((tx) => requireStatement(tx, reader, invoiceId))
    let outcome: Collected
    try {
      outcome = await payNow(database, processor, { accountId: reader.account.accountId, invoiceId })
    } catch (error) {
      if (!(error instanceof Fault) || !['PaymentRefused', 'IncorrectState'].includes(error.code)) throw error
      outcome = { state: 'failed', code: error.code, message: error.message }
    }
    if (outcome.state === 'succeeded' || outcome.state === 'nothing-due') {
      return await reply.redirect(`/billing/statements/${invoiceId}`, 303)
    }
    const view = await database.read((tx) => statementView(tx, reader, invoiceId))
    await sendPage(reply, drawStatement({ ...view, reader, outcome }), outcome.state === 'failed' ? 402 : 200)
  })
}

/** @throws Fault NotFound for a statement that is not the reader's */
async function requireStatement(tx: Transaction, reader: Reader, invoiceId: string): Promise<InvoiceWithLines> {
  const invoice = await findInvoice(tx, { accountId: reader.account.accountId, invoiceId })
  if (invoice === undefined) throw new Fault('NotFound', 'There is no such statement in this account.')
  return invoice
}

async function statementView(tx: Transaction, reader: Reader, invoiceId: string) {
  const invoice = await requireStatement(tx, reader, invoiceId)
  const products = await productsOf(tx, invoice.lines)
  return { invoice, products, refunds: await listRefunds(tx, { accountId: invoice.accountId, invoiceId }) }
}

type StatementView = Awaited<ReturnType<typeof statementView>> & {
  readonly reader: Reader
  /** Of a payment that was tried just now and did not go through. */
  readonly outcome?: Collected
}

function drawStatement({ invoice, products, refunds, reader, outcome }: StatementView): string {
  const { kind, month, currency, lines, carried } = invoice
  const title = kind === 'sign-up' ? `Sign-up statement, ${month}` : `Statement for ${month}`
  return drawPage({
    title,
    section: '/billing',
    reader,
    content: html`<p class="back"><a href="/billing#statements">Application Billing</a></p>
      <h1>${title}</h1>
      ${outcome !== undefined && drawOutcome(outcome)}
      ${facts([
        ['Number', html`<span class="mono">${invoice.invoiceId}</span>`],
        ['Billed to', `${reader.account.name}, account ${reader.account.accountId}`],
        ['Issued', day(invoice.issuedAt)],
        ['State', state(invoice.state)],
        invoice.paidAt !== null && ['Paid', minute(invoice.paidAt)],
        invoice.carriedInto !== null && [
          'Carried into',
          html`<a href="/billing/statements/${invoice.carriedInto}">a later statement</a>`,
        ],
      ])}
      ${drawLines({ label: title, lines, currency, products, total: 'Total' })}
      ${carried.length > 0 && drawCarried(invoice)} ${refunds.length > 0 && drawRefunds(refunds, products)}
      ${drawState(invoice)}`,
  })
}

function drawOutcome(outcome: Collected): Markup {
  if (outcome.state === 'failed') {
    return html`<p class="note bad" role="alert">
      The payment did not go through: ${outcome.message} <a href="/billing#card">Use another card</a>, or try again.
    </p>`
  }
  return html`<p class="note wait" role="status">
    The payment is under way; its outcome is here as soon as the processor tells it.
  </p>`
}

function drawCarried({ carried, currency, amountDue }: InvoiceWithLines): Markup {
  return html`<h2>Carried forward</h2>
    <p class="hint">Earlier bills that were too small to be collected by themselves.</p>
    ${table({
      label: 'Carried forward',
      columns: [{ label: 'Issued' }, { label: 'For' }, { label: 'Amount', number: true }],
      rows: carried.map((one) => [
        html`<a href="/billing/statements/${one.invoiceId}">${day(one.issuedAt)}</a>`,
        one.kind === 'sign-up' ? 'Sign-up' : one.month,
        amount(one.total, one.currency),
      ]),
      empty: '',
      foot: ['To be collected in all', '', amount(amountDue, currency)],
    })}`
}

function drawRefunds(refunds: StatementView['refunds'], products: Products): Markup {
  return html`<h2>Refunds</h2>
    ${table({
      label: 'Refunds',
      columns: [{ label: 'When' }, { label: 'For' }, { label: 'State' }, { label: 'Amount', number: true }],
      rows: refunds.map((one) => [
        day(one.startedAt),
        `The unused part of ${products.get(one.productCode)?.name ?? one.productCode}`,
        state(one.state),
        amount(-one.amount, one.currency),
      ]),
      empty: '',
    })}`
}

function drawState(invoice: InvoiceWithLines): Markup {
  const due = amount(invoice.amountDue, invoice.currency)
  switch (invoice.state) {
    case 'paid':
      return html`<p class="note">${invoice.total === 0n ? 'Nothing is due.' : 'Paid. Thank you.'}</p>`
    case 'void':
      return html`<p class="note">Void: the order did not go through, and nothing of this is owed.</p>`
    case 'carried':
      return html`<p class="note">Too small to be collected by itself: it is carried into a later statement.</p>`
    case 'open':
      return html`<p class="note wait">
          ${due} is to be collected from your
          card${invoice.attemptDueAt !== null && html`; tried next on ${day(invoice.attemptDueAt)}`}.
        </p>
        <div class="actions">${drawPayNow(invoice)}</div>`
    case 'unpaid':
      return html`<p class="note bad">
          ${due} could not be collected, so every subscription on this statement has ended. The debt stands until it is
          paid.
        </p>
        <div class="actions">${drawPayNow(invoice)}</div>`
  }
}

/** The button that tries to collect a bill now; nothing for bills on which nothing is open. */
export function drawPayNow(invoice: Invoice): Markup {
  if (!['open', 'unpaid'].includes(invoice.state) || invoice.amountDue === 0n || invoice.kind === 'sign-up')
    return html``
  const due = amount(invoice.amountDue, invoice.currency)
  return html`<form method="post" action="/billing/statements/${invoice.invoiceId}/pay">
    <button aria-label="Pay ${due} of ${invoice.month} now">Pay now</button>
  </form>`
}
