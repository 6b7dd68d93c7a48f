/** The operator's desk: products to decide about, sellers to verify, parked accounts, clock, proof, mailbox. */
import type { FastifyInstance } from 'fastify'
import { findSeller } from '../../accounts/ensure-seller.ts'
import { listAccounts } from '../../accounts/find-account.ts'
import { verifyBankAccount } from '../../accounts/verify-bank-account.ts'
import { Fault } from '../../base/fault.ts'
import { parseMonth } from '../../base/period.ts'
import { parseInstant } from '../../base/time.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import { listParked, releaseParked } from '../../invoices/parked-accounts.ts'
import type { Step } from '../../jobs/schedule.ts'
import { approveProduct } from '../../products/approve-product.ts'
import { listProducts } from '../../products/find-product.ts'
import type { Product } from '../../products/products.ts'
import { rejectProduct } from '../../products/reject-product.ts'
import { prove } from '../../proof/prove.ts'
import { day, minute, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import { addMailboxPages } from './mailbox-pages.ts'
import { drawOperatorLinks, requireOperatorReader } from './operator-reader.ts'
import type { PagesHouse } from './pages.ts'
import { field, sendPage } from './reader.ts'

const waitingShown = 100
const accountsShown = 50

export function addOperatorPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/operator', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const view = await database.read(async (tx) => ({
      waiting: await listProducts(tx, { state: 'pending-approval', limit: waitingShown }),
      parked: await listParked(tx),
      now: tx.now,
    }))
    await sendPage(reply, drawDesk({ ...view, reader, clock: database.clock.kind }))
  })

  scope.post<{ Params: { productCode: string } }>('/operator/products/:productCode', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const change = { productCode: request.params.productCode, actor: reader.account.accountId }
    await database.transaction(async (tx) => {
      if (field(request.body, 'do') === 'approve') await approveProduct(tx, change)
      else if (field(request.body, 'do') === 'reject')
        await rejectProduct(tx, { ...change, reason: field(request.body, 'reason') })
      else throw new Fault('InvalidParameter', 'A product is approved or rejected.')
    })
    await reply.redirect('/operator', 303)
  })

  scope.post('/operator/parked', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    await releaseParked(database, {
      month: parseMonth(field(request.body, 'month')),
      accountId: field(request.body, 'accountId'),
    })
    await reply.redirect('/operator', 303)
  })
  addAccountsPage(scope, house)
  addClockPage(scope, house)
  addProofPage(scope, house)
  addMailboxPages(scope, house)
}

interface DeskView {
  readonly reader: Reader
  readonly waiting: readonly Product[]
  readonly parked: Awaited<ReturnType<typeof listParked>>
  readonly now: Date
  readonly clock: 'system' | 'manual'
}

function drawDesk({ reader, waiting, parked, now, clock }: DeskView): string {
  return drawPage({
    title: 'Operator',
    section: '/operator',
    reader,
    content: html`<h1>Operator</h1>
      ${drawOperatorLinks('/operator')}
      <h2>Products awaiting approval</h2>
      ${waiting.length === 0 ? html`<p class="empty">No product waits for a decision.</p>` : waiting.map(drawWaiting)}
      <h2>Parked accounts</h2>
      <p class="hint">Accounts whose month could not be closed. Once the reason is dealt with, close it again.</p>
      ${table({
        label: 'Parked accounts',
        columns: [{ label: 'Account' }, { label: 'Month' }, { label: 'Reason' }, { label: 'Close again' }],
        rows: parked.map((one) => [
          html`<span class="mono">${one.accountId}</span>`,
          one.month,
          one.reason,
          html`<form method="post" action="/operator/parked">
            <input type="hidden" name="accountId" value="${one.accountId}" />
            <input type="hidden" name="month" value="${one.month}" />
            <button class="quiet" aria-label="Release account ${one.accountId} of ${one.month}">Release</button>
          </form>`,
        ]),
        empty: 'No account is parked.',
      })}
      <h2>Clock</h2>
      <p>${minute(now)} UTC (${clock} clock)</p>
      ${clock === 'manual' && drawAdvance()}`,
  })
}

function drawAdvance(): Markup {
  return html`<form class="row" method="post" action="/operator/clock">
    <label for="to">Advance to</label>
    <input id="to" name="to" required placeholder="2026-07-01T00:00:00Z" autocomplete="off" />
    <button class="quiet">Advance</button>
  </form>`
}

function drawWaiting(product: Product): Markup {
  const { productCode, name } = product
  return html`<section class="card">
    <h3>${name}</h3>
    <p class="label">
      by ${product.companyName}, account <span class="mono">${product.sellerAccountId}</span> · code
      <code>${productCode}</code> · registered ${day(product.createdAt)}
    </p>
    <p class="prose">${product.description}</p>
    <p class="hint">
      ${product.privateContactEmail} · ${product.privateContactTelephone} ·
      <span class="wrap">${product.redirectUrl}</span>
    </p>
    <div class="actions">
      <form method="post" action="/operator/products/${productCode}">
        <button name="do" value="approve" aria-label="Approve ${name}">Approve</button>
      </form>
      <form class="row" method="post" action="/operator/products/${productCode}">
        <label for="reason-${productCode}">Reason</label>
        <input id="reason-${productCode}" name="reason" maxlength="500" required autocomplete="off" />
        <button class="danger" name="do" value="reject" aria-label="Reject ${name}">Reject</button>
      </form>
    </div>
  </section>`
}

function addAccountsPage(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/operator/accounts', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const after = field(request.query, 'after')
    const rows = await database.read((tx) => accountRows(tx, after))
    const shown = rows.slice(0, accountsShown)
    const last = rows.length > accountsShown ? shown.at(-1) : undefined
    await sendPage(
      reply,
      drawPage({
        title: 'Accounts',
        section: '/operator',
        reader,
        content: html`<h1>Accounts</h1>
          ${drawOperatorLinks('/operator/accounts')}
          ${table({
            label: 'Accounts',
            columns: [
              { label: 'Account' },
              { label: 'Name' },
              { label: 'E-mail' },
              { label: 'Since' },
              { label: 'Sells' },
            ],
            rows: shown.map((one) => [
              html`<span class="mono">${one.account.accountId}</span>`,
              html`${one.account.name} ${one.account.operator && state('operator')}`,
              one.account.email,
              day(one.account.createdAt),
              one.seller === undefined ? '' : drawSeller(one.seller),
            ]),
            empty: 'There are no more accounts.',
          })}
          ${last !== undefined && html`<nav class="pages" aria-label="Pages"><a href="/operator/accounts?after=${last.account.accountId}">Further</a></nav>`}`,
      }),
    )
  })

  scope.post<{ Params: { sellerAccountId: string } }>('/operator/sellers/:sellerAccountId', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const { sellerAccountId } = request.params
    await database.transaction((tx) => verifyBankAccount(tx, { sellerAccountId, actor: reader.account.accountId }))
    await reply.redirect('/operator/accounts', 303)
  })
}

async function accountRows(tx: Transaction, after: string) {
  const rows = []
  for (const account of await listAccounts(tx, { after, limit: accountsShown + 1 })) {
    rows.push({ account, seller: await findSeller(tx, account.accountId) })
  }
  return rows
}

function drawSeller(seller: NonNullable<Awaited<ReturnType<typeof findSeller>>>): Markup {
  if (seller.bankAccountVerified) return html`${seller.companyName}<br />bank account ${state('verified')}`
  return html`${seller.companyName}
    <form method="post" action="/operator/sellers/${seller.sellerAccountId}">
      <button class="quiet" aria-label="Verify the bank account of ${seller.companyName}">Verify bank account</button>
    </form>`
}

function addClockPage(scope: FastifyInstance, house: PagesHouse): void {
  scope.post('/operator/clock', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const text = field(request.body, 'to').trim()
    const to = parseInstant(text)
    if (to === undefined) {
      throw new Fault('InvalidParameter', `"${text}" is no instant; write it as 2026-07-01 or 2026-07-01T12:00:00Z.`)
    }
    const steps: Step[] = []
    await house.advance(to, (step) => steps.push(step))
    await sendPage(
      reply,
      drawPage({
        title: 'Clock',
        section: '/operator',
        reader,
        content: html`<h1>The clock stands at ${minute(to)}</h1>
          <p class="lead">What fell due on the way happened at its own instant.</p>
          ${table({
            label: 'What happened',
            columns: [{ label: 'When' }, { label: 'What' }],
            rows: steps.map((step) => [minute(step.at), step.name === 'clock' ? 'the clock stands here' : step.name]),
            empty: 'Nothing was due.',
          })}
          <div class="actions"><a class="button" href="/operator">Back</a></div>`,
      }),
    )
  })
}

function addProofPage(scope: FastifyInstance, house: PagesHouse): void {
  scope.get('/operator/proof', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const { ok, checks } = await prove(house.database)
    await sendPage(
      reply,
      drawPage({
        title: 'Proof of the books',
        section: '/operator',
        reader,
        content: html`<h1>Proof of the books</h1>
          ${drawOperatorLinks('/operator/proof')}
          <p class="note ${!ok && 'bad'}" role="status">
            ${ok ? `The books are proven: ${checks.length} invariants hold, checked just now.` : 'An invariant is broken.'}
          </p>
          ${table({
            label: 'Invariants',
            columns: [{ label: 'Invariant' }, { label: 'Says' }, { label: 'Found' }],
            rows: checks.map((check) => [
              check.name,
              check.statement,
              html`${state(check.ok ? 'holds' : 'broken')}
              ${!check.ok && html`${check.count} times, such as <code class="wrap">${JSON.stringify(check.violations[0], plain)}</code>`}`,
            ]),
            empty: 'There is nothing to check.',
          })}`,
      }),
    )
  })
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
