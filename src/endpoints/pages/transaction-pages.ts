/** Everything that moved a seller's balance, a page at a time (spec §8). */
import type { FastifyInstance } from 'fastify'
import { html, type Markup } from '../../http/markup.ts'
import type { TransferKind } from '../../ledger/ledger.ts'
import { listProducts } from '../../products/find-product.ts'
import type { Product } from '../../products/products.ts'
import { sellerTransactions, type SellerTransaction } from '../../settlement/seller-figures.ts'
import { amount, minute, table } from './figures.ts'
import { drawPage } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { cut, drawOlder, readMark } from './paging.ts'
import { requireReader, sendPage } from './reader.ts'

const transactionsShown = 50
const productsKnown = 1000

export function addTransactionPages(scope: FastifyInstance, house: PagesHouse): void {
  scope.get('/seller/transactions', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const sellerAccountId = reader.account.accountId
    const mark = readMark(request.query)
    const view = await house.database.read(async (tx) => ({
      products: await listProducts(tx, { sellerAccountId, limit: productsKnown }),
      transactions: await sellerTransactions(tx, {
        sellerAccountId,
        limit: transactionsShown + 1,
        ...(mark && { before: { at: mark.at, transferId: mark.id } }),
      }),
    }))
    const { shown, last } = cut(view.transactions, transactionsShown)
    await sendPage(
      reply,
      drawPage({
        title: 'Transactions',
        section: '/seller',
        reader,
        content: html`<p class="back"><a href="/seller">Seller activity</a></p>
          <h1>Transactions</h1>
          <p class="lead">Everything that moved your balance, newest first.</p>
          ${drawTransactions(shown, view.products)}
          ${drawOlder('/seller/transactions', mark === undefined, last && { at: last.at, id: last.transferId })}`,
      }),
    )
  })
}

const words: Readonly<Partial<Record<TransferKind, string>>> = {
  deposited: 'Deposit',
  'transaction-fee': 'Transaction fee',
  'cloud-cost': 'Cloud cost',
  'percentage-fee': 'Percentage of the value-add',
  refunded: 'Refund',
  payout: 'Payout',
  'payout-reversed': 'Payout returned',
}

export function drawTransactions(transactions: readonly SellerTransaction[], products: readonly Product[]): Markup {
  const names = new Map(products.map(({ productCode, name }) => [productCode, name]))
  return table({
    label: 'Transactions',
    columns: [
      { label: 'When' },
      { label: 'What' },
      { label: 'Product' },
      { label: 'Buyer' },
      { label: 'For' },
      { label: 'Amount', number: true },
    ],
    rows: transactions.map((one) => [
      minute(one.at),
      words[one.kind] ?? one.kind,
      one.productCode === null ? '' : (names.get(one.productCode) ?? one.productCode),
      html`<span class="mono">${one.buyerAccountId}</span>`,
      one.month ?? '',
      amount(one.amount, one.currency),
    ]),
    empty: 'Nothing has moved your balance yet. Deposits appear when buyers have paid.',
  })
}
