/** Closes a month for a cohort of accounts, in the caller's transaction and in a few statements however many there are. */
import { Fault } from '../base/fault.ts'
import { newUuid } from '../base/ids.ts'
import { displayAmount, minorPerMajor, type Currency } from '../base/money.ts'
import { monthPeriod, type Month } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { planSettlement } from '../ledger/plan-settlement.ts'
import { post } from '../ledger/post.ts'
import { countUsage } from '../metering/count-usage.ts'
import { PriceBook } from '../rating/price-book.ts'
import {
  finishClaims,
  insertAccountMonths,
  insertSubscriptionMonths,
  lockCarried,
  selectChargedMonths,
  selectSubscriptions,
  updateCarriedInto,
  type Claim,
} from './close-store.ts'
import {
  draftCharge,
  draftUsage,
  inBillOrder,
  mayBeCharged,
  monthsToCharge,
  type BilledSubscription,
  type DraftedLine,
} from './draft-month.ts'
import { billedTransfers, numberLines, stateOfNewBill, type Invoice } from './invoices.ts'
import { minimumBill } from './minimum-bill.ts'
import { insertInvoices, insertLines, type AccountLine } from './store.ts'

/** A bill above this many major units is looked at by a person before it goes out. */
const billMaxMajor = 1_000_000n

/** The prices of every month a close needs, kept over its cohorts: those months have ended or begun, so they are settled. */
export class MonthBooks {
  readonly #books = new Map<Month, PriceBook>()

  of(month: Month): PriceBook {
    let book = this.#books.get(month)
    if (book === undefined) {
      book = new PriceBook(monthPeriod(month))
      this.#books.set(month, book)
    }
    return book
  }
}

/**
 * Counts, rates, bills and books the month of every claimed account, and marks the claims done.
 *
 * @param claims locked by this transaction
 * @throws whatever fails for any of the accounts; then nothing is written for any of them
 */
export async function closeCohort(
  tx: Transaction,
  month: Month,
  books: MonthBooks,
  claims: readonly Claim[],
): Promise<void> {
  const claimed = claims.map((claim) => claim.accountId)
  const accountIds = await insertAccountMonths(tx, month, claimed)
  const subscriptions = await selectSubscriptions(tx, accountIds, monthPeriod(month).end)
  const lines = [
    ...(await usageOf(tx, month, books, accountIds, subscriptions)),
    ...(await chargesOf(tx, month, books, subscriptions)),
  ]
  const bills = await writeBills(tx, month, accountIds, lines, claims)
  await insertSubscriptionMonths(
    tx,
    month,
    subscriptions.map(({ accountId, subscriptionId }) => ({
      accountId,
      subscriptionId,
      invoiceId: bills.get(subscriptionId) ?? null,
    })),
  )
  await planSettlement(
    tx,
    // Until it is collected, only a month that has cost (spec §7: C − R is owed in any case) or that gained revenue late can
    // owe something. The charge of the next month plans its settlement when it is paid.
    lines.filter((line) => line.month <= month && (line.kind !== 'usage' || line.cost > 0n)),
  )
  await finishClaims(tx, month, claimed)
}

async function usageOf(
  tx: Transaction,
  month: Month,
  books: MonthBooks,
  accountIds: readonly string[],
  subscriptions: readonly BilledSubscription[],
): Promise<DraftedLine[]> {
  const book = books.of(month)
  const products = new Set(subscriptions.map((subscription) => subscription.productCode))
  await book.load(tx, products)
  return draftUsage(month, await countUsage(tx, { accountIds, segments: book.segments(products) }), book)
}

async function chargesOf(
  tx: Transaction,
  month: Month,
  books: MonthBooks,
  subscriptions: readonly BilledSubscription[],
): Promise<DraftedLine[]> {
  const late = subscriptions.filter(mayBeCharged)
  const charged = new Set(
    late.length === 0 ? [] : (await selectChargedMonths(tx, late)).map((row) => `${row.subscriptionId}/${row.month}`),
  )
  const due = subscriptions.flatMap((subscription) =>
    monthsToCharge(subscription, month)
      .filter((chargedMonth) => !charged.has(`${subscription.subscriptionId}/${chargedMonth}`))
      .map((chargedMonth) => ({ subscription, chargedMonth })),
  )
  for (const [chargedMonth, group] of Map.groupBy(due, (charge) => charge.chargedMonth)) {
    await books.of(chargedMonth).load(
      tx,
      group.map(({ subscription }) => subscription.productCode),
    )
  }
  return due.flatMap(({ subscription, chargedMonth }) => {
    const line = draftCharge(subscription, chargedMonth, books.of(chargedMonth))
    return line === undefined ? [] : [line]
  })
}

/** One bill per account and currency, with its lines and what it books. @returns subscription → its bill */
async function writeBills(
  tx: Transaction,
  month: Month,
  accountIds: readonly string[],
  drafts: readonly DraftedLine[],
  claims: readonly Claim[],
): Promise<Map<string, string>> {
  const letPass = new Set(claims.filter((claim) => claim.letPass).map((claim) => claim.accountId))
  const waiting = Map.groupBy(await lockCarried(tx, accountIds), (bill) => `${bill.accountId}/${bill.currency}`)
  const invoices: Invoice[] = []
  const lines: AccountLine[] = []
  const carried: { accountId: string; invoiceId: string; into: string }[] = []
  const billOfSubscription = new Map<string, string>()

  for (const [key, group] of Map.groupBy(drafts, (line) => `${line.accountId}/${line.currency}`)) {
    const earlier = waiting.get(key) ?? []
    const { invoice, takesCarried } = newBill(tx, month, group, sum(earlier.map((bill) => bill.total)))
    if (!letPass.has(invoice.accountId)) requirePlausible(invoice)
    invoices.push(invoice)
    if (takesCarried) {
      carried.push(...earlier.map(({ accountId, invoiceId }) => ({ accountId, invoiceId, into: invoice.invoiceId })))
    }
    for (const line of numberLines(invoice.invoiceId, inBillOrder(group))) {
      lines.push({ ...line, accountId: invoice.accountId })
      billOfSubscription.set(line.subscriptionId, invoice.invoiceId)
    }
  }

  await insertInvoices(tx, invoices)
  await insertLines(tx, lines)
  await updateCarriedInto(tx, carried)
  const linesOf = Map.groupBy(lines, (line) => line.invoiceId)
  await post(
    tx,
    invoices.flatMap((invoice) => billedTransfers(invoice, linesOf.get(invoice.invoiceId) ?? [])),
  )
  return billOfSubscription
}

function newBill(
  tx: Transaction,
  month: Month,
  lines: readonly DraftedLine[],
  carriedTotal: bigint,
): { invoice: Invoice; takesCarried: boolean } {
  const [{ accountId, currency }] = lines as [DraftedLine, ...DraftedLine[]]
  const total = sum(lines.map((line) => line.amount))
  const { state, amountDue, takesCarried } = stateOfNewBill(total, carriedTotal, minimumBill(tx.config, currency))
  const invoice: Invoice = {
    accountId,
    invoiceId: newUuid(),
    kind: 'monthly',
    month,
    subscriptionId: null,
    currency,
    total,
    amountDue,
    state,
    carriedInto: null,
    issuedAt: tx.now,
    paidAt: state === 'paid' ? tx.now : null,
    attemptDueAt: state === 'open' ? tx.now : null,
  }
  return { invoice, takesCarried }
}

/** @throws Fault LimitExceeded when the bill is so large that a person should see it first */
function requirePlausible({ total, currency }: { total: bigint; currency: Currency }): void {
  const max = billMaxMajor * minorPerMajor(currency)
  if (total <= max) return
  throw new Fault(
    'LimitExceeded',
    `The bill would be ${displayAmount({ minor: total, currency })}; bills above ${displayAmount({ minor: max, currency })} go out only once a person has let them pass.`,
  )
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}
