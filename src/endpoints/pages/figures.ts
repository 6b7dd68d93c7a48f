/** How amounts, instants, prices, states and tables are shown on every page. */
import { displayAmount, formatRate, type Currency } from '../../base/money.ts'
import { html, type Markup } from '../../http/markup.ts'
import { describeDimension } from '../../products/dimension.ts'
import type { Card } from '../../payments/processor.ts'
import type { EndOfAccessPolicy, PriceVersion } from '../../products/products.ts'

export function amount(minor: bigint, currency: Currency): string {
  return displayAmount({ minor, currency })
}

/** `2026-06-03`, marked up as a time. */
export function day(instant: Date): Markup {
  return html`<time datetime="${instant.toISOString()}">${instant.toISOString().slice(0, 10)}</time>`
}

/** `2026-06-03 09:15`, marked up as a time. */
export function minute(instant: Date): Markup {
  return html`<time datetime="${instant.toISOString()}">${instant.toISOString().slice(0, 16).replace('T', ' ')}</time>`
}

const tones: Readonly<Record<string, 'good' | 'bad' | 'wait'>> = {
  active: 'good',
  approved: 'good',
  paid: 'good',
  verified: 'good',
  holds: 'good',
  succeeded: 'good',
  pending: 'wait',
  'pending-approval': 'wait',
  open: 'wait',
  carried: 'wait',
  started: 'wait',
  'not-verified': 'wait',
  failed: 'bad',
  unpaid: 'bad',
  rejected: 'bad',
  broken: 'bad',
}

/** A state as a small label; the word says it, the colour only helps. */
export function state(name: string): Markup {
  return html`<span class="state ${tones[name] ?? ''}">${name.replaceAll('-', ' ')}</span>`
}

type Cell = Markup | string

export interface Column {
  readonly label: string
  /** Right-aligned figures. */
  readonly number?: boolean
}

export interface Table {
  /** What the table is, for those who do not see it. */
  readonly label: string
  readonly columns: readonly Column[]
  /** The first cell of a row is its header. */
  readonly rows: readonly (readonly Cell[])[]
  /** The sentence in the place of a table without rows. */
  readonly empty: string
  readonly foot?: readonly Cell[]
}

/** A table that scrolls sideways on narrow screens. */
export function table({ label, columns, rows, empty, foot }: Table): Markup {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  return scrolling(
    label,
    html`${tableHead(columns)}
      <tbody>
        ${rows.map((row) => tableRow(columns, row))}
      </tbody>
      ${
        foot !== undefined &&
        html`<tfoot>
          ${tableRow(columns, foot)}
        </tfoot>`
      }`,
  )
}

/** A table around its parts; it can be scrolled with the keyboard. */
export function scrolling(label: string, parts: Markup): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      ${parts}
    </table>
  </div>`
}

export function tableHead(columns: readonly Column[]): Markup {
  return html`<thead>
    <tr>
      ${columns.map(({ label, number }) => html`<th scope="col" ${number === true && html` class="number"`}>${label}</th>`)}
    </tr>
  </thead>`
}

export function tableRow(columns: readonly Column[], row: readonly Cell[]): Markup {
  return html`<tr>
    ${row.map((content, index) => {
      const look = columns[index]?.number === true && html` class="number"`
      return index === 0 ? html`<th scope="row" ${look}>${content}</th>` : html`<td${look}>${content}</td>`
    })}
  </tr>`
}

/** Facts with their names; entries that are false are left out. */
export function facts(entries: readonly (readonly [name: string, value: Cell] | false | undefined)[]): Markup {
  return html`<dl class="facts">
    ${entries.map(
      (entry) =>
        entry !== false &&
        entry !== undefined &&
        html`<dt>${entry[0]}</dt>
          <dd>${entry[1]}</dd>`,
    )}
  </dl>`
}

/** What a product costs, in full. */
export function drawPrice(price: PriceVersion): Markup {
  const rates = [...price.rates].filter(([, rate]) => rate > 0n)
  const charges = price.oneTime > 0n || price.monthly > 0n
  return html`${
    charges &&
    facts([
      price.oneTime > 0n && ['Once, at sign-up', amount(price.oneTime, price.currency)],
      price.monthly > 0n && ['Every month, in advance', amount(price.monthly, price.currency)],
    ])
  }
  ${
    rates.length > 0 &&
    html`${table({
        label: 'Hourly rates',
        columns: [{ label: 'Use' }, { label: `${price.currency} an hour`, number: true }],
        rows: rates.map(([dimension, rate]) => [describeDimension(dimension), formatRate(rate)]),
        empty: '',
      })}
      <p class="hint">
        An hour is charged when it begins, partial hours whole; each start of an instance begins a new hour. This price
        replaces the cloud’s own.
      </p>`
  }`
}

const brands: Readonly<Record<string, string>> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  amex: 'American Express',
  discover: 'Discover',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
}

/** `Visa ending in 4242, valid until 12/2039`. */
export function drawCard(card: Pick<Card, 'brand' | 'last4' | 'expMonth' | 'expYear'>): Markup {
  const until = `${String(card.expMonth).padStart(2, '0')}/${card.expYear}`
  return html`${brands[card.brand] ?? card.brand} ending in <strong>${card.last4}</strong>, valid until ${until}`
}

const policies: Readonly<Record<EndOfAccessPolicy, string>> = {
  stop: 'running instances are stopped',
  terminate: 'running instances are terminated',
  'leave-running': 'running instances go on and are billed',
}

/** What happens to instances when a subscription ends. */
export function describePolicy(policy: EndOfAccessPolicy): string {
  return policies[policy]
}

/** A public contact as a link: an address to write to, or a page. Registration admits nothing else. */
export function drawContact(contact: string): Markup {
  const href = URL.canParse(contact) ? contact : `mailto:${contact}`
  return html`<a href="${href}" rel="nofollow noopener noreferrer">${contact}</a>`
}
