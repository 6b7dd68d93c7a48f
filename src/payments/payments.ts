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
 * in between (a new card, pay now) use up none of these.
 */
import { formatMinor, type Currency } from '../base/money.ts'
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
  readonly paymentId: string | null
  readonly failureCode: string | null
  readonly failureMessage: string | null
  /** So long ago that the processor may no longer know the attempt's idempotency key (Stripe keeps keys 24 hours). */
  readonly keyMayBeForgotten: boolean
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

/**
 * When a bill whose charge failed is tried next: the first configured day after its issue that is still to come.
 *
 * @param retryDays days after issue, in any order
 * @returns undefined when none is left: the failure was the last
 */
export function nextAttemptAt(issuedAt: Date, now: Date, retryDays: readonly number[]): Date | undefined {
  return retryDays
    .map((days) => addDays(issuedAt, days))
    .filter((instant) => instant > now)
    .sort((a, b) => a.getTime() - b.getTime())[0]
}

/** An amount with its currency, as mails and pages say it: `24.67 USD`. */
export function sayAmount(minor: bigint, currency: Currency): string {
  return `${formatMinor(minor, currency)} ${currency}`
}
