/**
 * Collecting an invoice, in words.
 *
 * An invoice is **open** until an attempt succeeds (**paid**), it is reversed (**void**: a refused sign-up), or its last
 * planned attempt fails (**unpaid**: the debt stands, its subscriptions end for non-payment, and it may still be paid).
 *
 * An attempt is written as **started**, with the task that finishes it, before the processor is asked, so that whoever dies
 * in between leaves a trace that names the question; at most one attempt of an invoice is started at a time, by constraint. It then becomes **succeeded**
 * or **failed**, once: later answers about it change nothing. A started attempt whose answer was lost is asked for again
 * under the same key by its task. A sign-up's invoice has one attempt and no second.
 *
 * The monthly charge is tried when the bill is issued and again on the configured days after (7, 14, 21; spec §6). Attempts
 * in between (a new card, pay now) use up none of these. A card entered while an attempt on another one is under way is
 * tried as soon as that one has failed.
 *
 * A task gives up after some days. Therefore every started attempt and refund is put to its task anew each day until its
 * end is known.
 */
import type { Currency } from '../base/money.ts'
import { addDays } from '../base/time.ts'

export interface InvoiceReference {
  readonly accountId: string
  readonly invoiceId: string
}

/** One attempt to collect an invoice. */
export interface Attempt extends InvoiceReference {
  readonly attemptNumber: number
  readonly state: 'started' | 'succeeded' | 'failed'
  readonly amount: bigint
  readonly currency: Currency
  readonly paymentMethodId: string
  readonly startedAt: Date
  readonly paymentId: string | null
  readonly failureCode: string | null
  readonly failureMessage: string | null
  /** So long ago that the processor may no longer know the attempt's idempotency key (Stripe keeps keys 24 hours). */
  readonly keyMayBeForgotten: boolean
}

/** Money given back of a bill. */
export interface Refund {
  readonly refundId: string
  readonly invoiceId: string
  readonly subscriptionId: string
  readonly productCode: string
  /** Minor units. */
  readonly amount: bigint
  readonly currency: Currency
  readonly state: 'started' | 'succeeded' | 'failed'
  readonly startedAt: Date
}

export type Outcome =
  | { readonly state: 'succeeded'; readonly paymentId: string }
  | { readonly state: 'failed'; readonly paymentId?: string; readonly code: string; readonly message: string }

/** What came of trying to collect. `nothing-due`: the invoice needs no collecting (any more). */
export type Collected = Outcome | { readonly state: 'processing' } | { readonly state: 'nothing-due' }

/** What came of an attempt that is settled; undefined while it is not. */
export function outcomeOf(attempt: Attempt): Outcome | undefined {
  if (attempt.state === 'succeeded') return { state: 'succeeded', paymentId: attempt.paymentId ?? '' }
  if (attempt.state === 'started') return undefined
  return {
    state: 'failed',
    code: attempt.failureCode ?? 'failed',
    message: attempt.failureMessage ?? 'The charge failed.',
  }
}

/** The processor's idempotency key of an attempt: business identity, never a clock. */
export function attemptKey(attempt: InvoiceReference & { attemptNumber: number }): string {
  return `charge/${attempt.accountId}/${attempt.invoiceId}/${attempt.attemptNumber}`
}

/** The processor's idempotency key of a refund. */
export function refundKey(refund: { accountId: string; refundId: string }): string {
  return `refund/${refund.accountId}/${refund.refundId}`
}

/**
 * When a bill whose charge failed is tried next: the first configured day after its issue that had not come when the failed
 * attempt was started. It may have passed since, when the answer took long; the attempt is then due at once.
 *
 * @param retryDays days after issue, in any order
 * @returns undefined when none is left: the failure was the last
 */
export function nextAttemptAt(issuedAt: Date, startedAt: Date, retryDays: readonly number[]): Date | undefined {
  return retryDays
    .map((days) => addDays(issuedAt, days))
    .filter((instant) => instant > startedAt)
    .sort((a, b) => a.getTime() - b.getTime())[0]
}
