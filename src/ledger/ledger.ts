/**
 * The ledger: one transfer is one debit account, one credit account and one positive amount, so that the books balance by
 * construction. A transfer is never changed or removed; a mistake is corrected by another transfer.
 */
import { assert } from '../base/assert.ts'
import type { Currency } from '../base/money.ts'
import type { Month } from '../base/period.ts'

/** What the books are kept in. README.md says what each one's balance means. */
export type LedgerAccount =
  | 'receivable'
  | 'expected-revenue'
  | 'processor'
  | 'seller-balance'
  | 'transaction-fees'
  | 'percentage-fees'
  | 'cloud-costs'

interface Sides {
  readonly debit: LedgerAccount
  readonly credit: LedgerAccount
  /** Also the other way round: a charge given back (spec §7: each time K changes, charge the difference). */
  readonly bothWays?: true
}

/** Every kind of business fact with the accounts it moves. */
const sidesOfKind = {
  billed: { debit: 'receivable', credit: 'expected-revenue' },
  'billed-reversed': { debit: 'expected-revenue', credit: 'receivable' },
  paid: { debit: 'processor', credit: 'receivable' },
  deposited: { debit: 'expected-revenue', credit: 'seller-balance' },
  'transaction-fee': { debit: 'seller-balance', credit: 'transaction-fees' },
  'cloud-cost': { debit: 'seller-balance', credit: 'cloud-costs', bothWays: true },
  'percentage-fee': { debit: 'seller-balance', credit: 'percentage-fees', bothWays: true },
  refunded: { debit: 'seller-balance', credit: 'receivable' },
  'refund-paid': { debit: 'receivable', credit: 'processor' },
  payout: { debit: 'seller-balance', credit: 'processor' },
  'payout-reversed': { debit: 'processor', credit: 'seller-balance' },
} as const satisfies Record<string, Sides>

export type TransferKind = keyof typeof sidesOfKind

/** A fact to be booked. Account, kind and reference together name it for ever. */
export interface NewTransfer {
  /** The account the fact happened at: the buyer for everything about a bill, the seller for a payout. */
  readonly accountId: string
  readonly kind: TransferKind
  /** Business reference, such as `<invoiceId>/<line>`. */
  readonly reference: string
  readonly debit: LedgerAccount
  readonly credit: LedgerAccount
  /** Minor units; positive. */
  readonly amount: bigint
  readonly currency: Currency
  readonly sellerAccountId?: string | undefined
  readonly productCode?: string | undefined
  /** The month the money belongs to (spec §7), not the month it moved in. */
  readonly month?: Month | undefined
  readonly invoiceId?: string | undefined
}

/**
 * Refuses a fact that moves nothing, or moves it between other accounts than its kind does.
 *
 * @throws Error naming the fact
 */
export function requireSound(transfer: NewTransfer): void {
  const sides: Sides = sidesOfKind[transfer.kind]
  const name = `the ${transfer.kind} ${transfer.reference} of account ${transfer.accountId}`
  assert(transfer.amount > 0n, `${name} moves a positive amount`)
  const forward = transfer.debit === sides.debit && transfer.credit === sides.credit
  const back = sides.bothWays === true && transfer.debit === sides.credit && transfer.credit === sides.debit
  assert(forward || back, `${name} moves from ${sides.debit} to ${sides.credit}`)
}
