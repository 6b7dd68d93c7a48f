import { assert } from '../base/assert.ts'
import { newUuid } from '../base/ids.ts'
import type { Currency } from '../base/money.ts'
import { monthOf, monthPeriod } from '../base/period.ts'
import { startOfDay } from '../base/time.ts'
import type { Transaction } from '../database/database.ts'
import { post } from '../ledger/post.ts'
import { billedTransfers, numberLines, stateOfNewBill, type Invoice, type LineDraft } from './invoices.ts'
import { minimumBill } from './minimum-bill.ts'
import { insertInvoices, insertLines, selectSignUpInvoice } from './store.ts'

/** What a sign-up charges at once (spec §5). */
export interface SignUp {
  readonly subscription: {
    readonly accountId: string
    readonly subscriptionId: string
    readonly productCode: string
    readonly sellerAccountId: string
    readonly createdAt: Date
  }
  /** The price version in force at the sign-up. */
  readonly price: { readonly version: number; readonly currency: Currency }
  /** Minor units. */
  readonly oneTime: bigint
  /** Minor units: the monthly charge from the sign-up day to the end of the month (`prorateFrom`). */
  readonly firstMonth: bigint
}

/**
 * Makes and books the bill of a sign-up: the one-time charge and the rest of the month. Its order collects it, so no
 * attempt is planned. A bill below the minimum is `carried`: nothing is to be collected now, the first monthly bill asks
 * for it.
 *
 * @returns the bill; undefined when the sign-up charges nothing. Billing it again returns the first bill.
 */
export async function billSignUp(tx: Transaction, signUp: SignUp): Promise<Invoice | undefined> {
  const { subscription, price } = signUp
  assert(signUp.oneTime >= 0n && signUp.firstMonth >= 0n, 'a sign-up charges nothing negative')
  const before = await selectSignUpInvoice(tx, subscription)
  if (before !== undefined) return before
  const drafts = draftLines(signUp)
  if (drafts.length === 0) return undefined

  const total = signUp.oneTime + signUp.firstMonth
  const { state, amountDue } = stateOfNewBill(total, 0n, minimumBill(tx.config, price.currency))
  const invoice: Invoice = {
    accountId: subscription.accountId,
    invoiceId: newUuid(),
    kind: 'sign-up',
    month: monthOf(subscription.createdAt),
    subscriptionId: subscription.subscriptionId,
    currency: price.currency,
    total,
    amountDue,
    state,
    carriedInto: null,
    issuedAt: tx.now,
    paidAt: null,
    attemptDueAt: null,
  }
  const lines = numberLines(invoice.invoiceId, drafts)
  await insertInvoices(tx, [invoice])
  await insertLines(
    tx,
    lines.map((line) => ({ ...line, accountId: invoice.accountId })),
  )
  await post(tx, billedTransfers(invoice, lines))
  return invoice
}

function draftLines({ subscription, price, oneTime, firstMonth }: SignUp): LineDraft[] {
  const month = monthOf(subscription.createdAt)
  const charge = (kind: 'one-time' | 'monthly', amount: bigint): LineDraft => ({
    subscriptionId: subscription.subscriptionId,
    productCode: subscription.productCode,
    sellerAccountId: subscription.sellerAccountId,
    kind,
    dimension: null,
    month,
    periodStart: startOfDay(subscription.createdAt),
    periodEnd: monthPeriod(month).end,
    quantity: 1n,
    priceVersion: price.version,
    rateNano: null,
    amount,
    rateCardVersion: null,
    costRateNano: null,
    cost: 0n,
  })
  return [charge('one-time', oneTime), charge('monthly', firstMonth)].filter((line) => line.amount > 0n)
}
