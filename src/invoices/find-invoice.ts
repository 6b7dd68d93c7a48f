/** Reading bills: of one buyer only, since every question names the account. */
import { isUuid } from '../base/ids.ts'
import type { Month } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import type { Invoice, InvoiceLine } from './invoices.ts'
import {
  lockMonthlyCharge,
  selectCarriedInto,
  selectInvoice,
  selectInvoices,
  selectLines,
  selectSignUpInvoice,
  type MonthlyCharge,
} from './store.ts'

const pageMax = 100

export interface InvoiceWithLines extends Invoice {
  readonly lines: readonly InvoiceLine[]
  /** Bills below the minimum whose totals are in this one's amount due. */
  readonly carried: readonly Invoice[]
}

/**
 * A buyer's bills, newest first.
 *
 * @param of.month only those of a month
 * @param of.before the last bill of the page before
 * @param of.limit at most 100, and 100 by default
 */
export async function listInvoices(
  tx: Transaction,
  of: { accountId: string; month?: Month; before?: Pick<Invoice, 'issuedAt' | 'invoiceId'>; limit?: number },
): Promise<Invoice[]> {
  return await selectInvoices(tx, { ...of, limit: Math.min(of.limit ?? pageMax, pageMax) })
}

/** A bill with its lines and the bills carried into it; undefined when the account has none of that id. */
export async function findInvoice(
  tx: Transaction,
  of: { accountId: string; invoiceId: string },
): Promise<InvoiceWithLines | undefined> {
  if (!isUuid(of.invoiceId)) return undefined
  const invoice = await selectInvoice(tx, of)
  if (invoice === undefined) return undefined
  return { ...invoice, lines: await selectLines(tx, of), carried: await selectCarriedInto(tx, of) }
}

/**
 * A subscription's monthly charge for a month, its bill locked until the transaction ends, so that what is decided about
 * it (a refund on cancellation) still holds when it is written.
 *
 * @returns undefined when the month was not charged (yet)
 */
export async function findMonthlyCharge(
  tx: Transaction,
  of: { accountId: string; subscriptionId: string; month: Month },
): Promise<MonthlyCharge | undefined> {
  return await lockMonthlyCharge(tx, of)
}

/** The bill of a sign-up; undefined when the sign-up charged nothing. */
export async function findSignUpInvoice(
  tx: Transaction,
  of: { accountId: string; subscriptionId: string },
): Promise<Invoice | undefined> {
  return await selectSignUpInvoice(tx, of)
}
