/**
 * Invoices, in words.
 *
 * A **sign-up** bill is made when an order is placed: the one-time charge and the rest of the month (spec §5). Its order
 * collects it. A **monthly** bill is made when a month is closed: the use of that month and the charges for the next one, of
 * every product of every seller, one bill per currency.
 *
 * A bill is **open** (to be collected) until it is **paid**, **unpaid** (every attempt failed, the debt stands) or **void** (the
 * sign-up was refused; its transfers are reversed). A bill that asks for nothing is paid at once. A bill below the minimum
 * is **carried**: it names the bill it was carried into once there is one, and is settled when that one is.
 */
import type { Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'
import type { NewTransfer } from '../ledger/post.ts'

export type InvoiceState = 'open' | 'paid' | 'carried' | 'unpaid' | 'void'

export interface Invoice {
  readonly accountId: string
  readonly invoiceId: string
  readonly kind: 'sign-up' | 'monthly'
  /** Monthly: the month whose end made the bill. Sign-up: the month of the sign-up. */
  readonly month: Month
  /** Of a sign-up. */
  readonly subscriptionId: string | null
  readonly currency: Currency
  /** Sum of the lines, minor units. */
  readonly total: bigint
  /** What is collected: the total and the totals of the bills carried into this one. */
  readonly amountDue: bigint
  readonly state: InvoiceState
  readonly carriedInto: string | null
  readonly issuedAt: Date
  readonly paidAt: Date | null
  /** When collection is tried next by itself. */
  readonly attemptDueAt: Date | null
}

export type LineKind = 'one-time' | 'monthly' | 'usage'

/** What one line says, before it has its place on an invoice. */
export interface LineDraft {
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  readonly kind: LineKind
  /** Of usage. */
  readonly dimension: string | null
  /** The month the revenue belongs to (spec §7): of the use for usage, of the charge for the rest. */
  readonly month: Month
  readonly periodStart: Date
  readonly periodEnd: Date
  /** Whole units of the dimension; 1 for a charge. */
  readonly quantity: bigint
  readonly priceVersion: number
  /** Nano units of the major unit per unit of the dimension; of usage. */
  readonly rateNano: bigint | null
  /** Minor units the buyer pays. */
  readonly amount: bigint
  readonly rateCardVersion: number | null
  readonly costRateNano: bigint | null
  /** Minor units the cloud charges the seller for the same quantity. */
  readonly cost: bigint
}

export interface InvoiceLine extends LineDraft {
  readonly invoiceId: string
  readonly lineNumber: number
}

/** The lines of a draft in their places. */
export function numberLines(invoiceId: string, drafts: readonly LineDraft[]): InvoiceLine[] {
  return drafts.map((draft, index) => ({ ...draft, invoiceId, lineNumber: index + 1 }))
}

/** The facts a new bill books: each line that charges something, as expected revenue of its seller. */
export function billedTransfers(
  invoice: Pick<Invoice, 'accountId' | 'invoiceId' | 'currency'>,
  lines: readonly InvoiceLine[],
): NewTransfer[] {
  return lines
    .filter((line) => line.amount > 0n)
    .map((line) => ({
      accountId: invoice.accountId,
      kind: 'billed',
      reference: `${invoice.invoiceId}/${line.lineNumber}`,
      debit: 'receivable',
      credit: 'expected-revenue',
      amount: line.amount,
      currency: invoice.currency,
      sellerAccountId: line.sellerAccountId,
      productCode: line.productCode,
      month: line.month,
      invoiceId: invoice.invoiceId,
    }))
}

/**
 * What becomes of a new bill (spec §5, bills below a minimum carry forward).
 *
 * @param total sum of its lines
 * @param carried sum of the totals of earlier bills that wait to be carried into one
 * @returns `takesCarried`: whether it collects those too
 */
export function stateOfNewBill(
  total: bigint,
  carried: bigint,
  minimumBill: bigint,
): { state: 'open' | 'carried' | 'paid'; amountDue: bigint; takesCarried: boolean } {
  const due = total + carried
  if (due > 0n && due >= minimumBill) return { state: 'open', amountDue: due, takesCarried: carried > 0n }
  return { state: total === 0n ? 'paid' : 'carried', amountDue: total, takesCarried: false }
}
