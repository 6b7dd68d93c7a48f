/** The lines of bills, by product: what was used or charged, how much of it, at which rate. */
import { formatRate, type Currency } from '../../base/money.ts'
import { monthPeriod } from '../../base/period.ts'
import type { Transaction } from '../../database/database.ts'
import { html, type Markup } from '../../http/markup.ts'
import type { LineDraft } from '../../invoices/invoices.ts'
import { describeDimension } from '../../products/dimension.ts'
import { requireProduct } from '../../products/find-product.ts'
import type { Product } from '../../products/products.ts'
import { amount, scrolling, tableHead, tableRow } from './figures.ts'

/** The products of some lines, by code. */
export type Products = ReadonlyMap<string, Product>

export async function productsOf(tx: Transaction, rows: Iterable<{ readonly productCode: string }>): Promise<Products> {
  const products = new Map<string, Product>()
  for (const { productCode } of rows) {
    if (!products.has(productCode)) products.set(productCode, await requireProduct(tx, productCode))
  }
  return products
}

const columns = [
  { label: 'What for' },
  { label: 'Quantity', number: true },
  { label: 'Rate', number: true },
  { label: 'Amount', number: true },
]

/** Lines in one currency under the names of their products and sellers, with a sum for each and one of all. */
export function drawLines(request: {
  readonly label: string
  readonly lines: readonly LineDraft[]
  readonly currency: Currency
  readonly products: Products
  readonly total: Markup | string
}): Markup {
  const { label, lines, currency, products, total } = request
  if (lines.length === 0) return html`<p class="empty">There is nothing on it.</p>`
  const groups = Map.groupBy(lines, (line) => line.productCode)
  return scrolling(
    label,
    html`${tableHead(columns)}
      ${[...groups].map(([productCode, group]) => drawGroup(products.get(productCode), productCode, group, currency))}
      <tfoot>
        ${tableRow(columns, [total, '', '', amount(sum(lines), currency)])}
      </tfoot>`,
  )
}

function drawGroup(
  product: Product | undefined,
  productCode: string,
  lines: readonly LineDraft[],
  currency: Currency,
): Markup {
  return html`<tbody>
    <tr class="group">
      <th scope="rowgroup" colspan="3">
        <a href="/billing?product=${productCode}">${product?.name ?? productCode}</a>
        <span class="hint">${product !== undefined && `by ${product.companyName}`}</span>
      </th>
      <td class="number">${amount(sum(lines), currency)}</td>
    </tr>
    ${lines.map((line) =>
      tableRow(columns, [
        describeLine(line),
        line.kind === 'usage' ? `${line.quantity} h` : '1',
        line.rateNano === null ? '' : formatRate(line.rateNano),
        amount(line.amount, currency),
      ]),
    )}
  </tbody>`
}

/** `Instance-hours of m1.small, linux, us-east-1`, `Monthly charge for 2026-06 (from 2026-06-03)`. */
function describeLine(line: LineDraft): string {
  if (line.kind === 'one-time') return 'One-time charge at sign-up'
  const { start } = monthPeriod(line.month)
  const from = line.periodStart > start ? ` (from ${line.periodStart.toISOString().slice(0, 10)})` : ''
  if (line.kind === 'monthly') return `Monthly charge for ${line.month}${from}`
  return `Hours of ${describeDimension(line.dimension ?? '')}, ${line.month}${from}`
}

function sum(lines: readonly LineDraft[]): bigint {
  return lines.reduce((total, line) => total + line.amount, 0n)
}
