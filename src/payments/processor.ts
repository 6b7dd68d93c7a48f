/**
 * The port to the payment processor: everything Turnpike asks of whoever moves the money, in Turnpike's own words.
 * The one implementation is `stripe-processor.ts` (Stripe itself, or the built-in sandbox that answers as Stripe does);
 * another processor is one more file beside it that implements this interface.
 *
 * What every implementation owes its callers:
 *
 * - A refusal by the bank or by the processor is an **answer** (`state: 'failed'`), never an exception.
 * - An answer that did not arrive (connection lost, timeout, 5xx, rate limit, wrong key, after the implementation's own
 *   retries) is `Fault('ProcessorUnavailable')`. Whether the effect happened is then **unknown**: the caller keeps what it
 *   asked for as it was, and asks again later, by the same idempotency key or by `findCharge`.
 * - The same `idempotencyKey` with the same parameters has one effect and the same answer, however often and however
 *   concurrently it is sent. Keys come from business identity (account, invoice, attempt number), never from a clock.
 * - Card numbers never pass through Turnpike: they are typed into the processor's own page (`startCardSetup`).
 * - Amounts are exact: bigint minor units with their currency.
 */
import type { Amount } from '../base/money.ts'

/** Small text a caller attaches to what it asks for; comes back with events. At most 50 keys, values of 500 characters. */
export type Metadata = Readonly<Record<string, string>>

/** What may be shown and kept of a card. */
export interface Card {
  readonly paymentMethodId: string
  /** `visa`, `mastercard`, … in lower case. */
  readonly brand: string
  readonly last4: string
  /** 1 to 12. */
  readonly expMonth: number
  /** Four digits. */
  readonly expYear: number
}

export type CardSetup =
  | { readonly state: 'complete'; readonly customerId: string; readonly card: Card }
  /** `open`: the buyer has not finished. `expired`: a new setup is needed. `failed`: no usable card came of it. */
  | { readonly state: 'open' | 'expired' | 'failed'; readonly message: string }

export interface ChargeRequest {
  readonly customerId: string
  readonly paymentMethodId: string
  readonly amount: Amount
  /** Identity of the attempt; `findCharge` finds the charge by it. */
  readonly idempotencyKey: string
  /** Shown to the operator at the processor. */
  readonly description: string
  readonly metadata: Metadata
}

export type Charge =
  | { readonly state: 'succeeded'; readonly paymentId: string }
  /**
   * Nothing was taken, finally. `code` is the bank's decline code where there is one (`insufficient_funds`,
   * `generic_decline`, …), else the processor's error code (`expired_card`, `resource_missing`, …); `message` may be shown.
   */
  | { readonly state: 'failed'; readonly paymentId?: string; readonly code: string; readonly message: string }
  /** Not decided yet; an event tells the end, and `findCharge` asks for it. */
  | { readonly state: 'processing'; readonly paymentId: string }

export type FoundCharge =
  | Charge
  /**
   * The processor holds no charge under this key. Final only once no request under it can still be on its way; repeating
   * `charge` with the same key is always safe and is the surer question while the processor keeps keys (Stripe: 24 hours).
   */
  | { readonly state: 'absent' }

export type Refund =
  | { readonly state: 'succeeded'; readonly refundId: string }
  | { readonly state: 'failed'; readonly refundId?: string; readonly message: string }

/** A processor's webhook, verified. A hint: what it says is true, but it may come late, twice and in any order. */
export type ProcessorEvent = {
  readonly eventId: string
  /** The processor's own name of it, such as `payment_intent.succeeded`. */
  readonly type: string
} & (
  | {
      readonly kind: 'payment_succeeded'
      readonly paymentId: string
      /** The key `charge` was given; undefined when the payment was not made by Turnpike. */
      readonly idempotencyKey: string | undefined
      readonly metadata: Metadata
    }
  | {
      readonly kind: 'payment_failed'
      readonly paymentId: string
      readonly idempotencyKey: string | undefined
      readonly metadata: Metadata
      readonly code: string
      readonly message: string
    }
  | {
      readonly kind: 'card_setup_completed'
      readonly sessionId: string
      readonly customerId: string
      /** What `startCardSetup` was given. */
      readonly reference: string
    }
  | { readonly kind: 'other' }
)

export interface Processor {
  /** One customer per account, however often it is asked for. */
  createCustomer(request: {
    readonly accountId: string
    readonly email: string
    readonly name: string
  }): Promise<{ readonly customerId: string }>

  /**
   * Opens the processor's page on which a buyer enters a card to be charged later. The page works without JavaScript
   * in the sandbox.
   *
   * @param request.returnUrl where the buyer comes back to; `{CHECKOUT_SESSION_ID}` in it is replaced by the session's id
   * @param request.reference comes back with the `card_setup_completed` event, e.g. the account or order id
   * @returns `url` to send the buyer to, `sessionId` for `finishCardSetup`
   */
  startCardSetup(request: {
    readonly customerId: string
    readonly returnUrl: string
    readonly cancelUrl: string
    readonly reference: string
  }): Promise<{ readonly url: string; readonly sessionId: string }>

  /**
   * What became of a card setup; only reads, so it may be asked any number of times. The caller checks that `customerId`
   * is its own buyer's: a session id comes back through the buyer's browser.
   */
  finishCardSetup(request: { readonly sessionId: string }): Promise<CardSetup>

  /** Asks the bank whether a saved card is still good, without charging it (spec §4: validated even if nothing is due). */
  validateCard(request: {
    readonly customerId: string
    readonly paymentMethodId: string
    readonly idempotencyKey: string
  }): Promise<
    { readonly state: 'valid' } | { readonly state: 'failed'; readonly code: string; readonly message: string }
  >

  /** Takes an amount from a buyer's card, the buyer absent. */
  charge(request: ChargeRequest): Promise<Charge>

  /** What became of a charge whose answer was lost. */
  findCharge(request: { readonly customerId: string; readonly idempotencyKey: string }): Promise<FoundCharge>

  /** Gives back part or all of a payment; the sum of refunds never exceeds what was taken. */
  refund(request: {
    readonly paymentId: string
    readonly amount: Amount
    readonly idempotencyKey: string
    readonly metadata: Metadata
  }): Promise<Refund>

  /**
   * The account at the processor that a seller is paid through; one per seller.
   *
   * @param request.country two letters, default `US`
   */
  createSellerAccount(request: {
    readonly sellerAccountId: string
    readonly email: string
    readonly country?: string
  }): Promise<{ readonly processorAccountId: string }>

  /**
   * Moves money to a seller's account.
   *
   * @throws Fault PaymentRefused when the processor finally refuses (nothing moved), e.g. for want of balance
   */
  transferToSeller(request: {
    readonly processorAccountId: string
    readonly amount: Amount
    readonly idempotencyKey: string
    readonly metadata: Metadata
  }): Promise<{ readonly transferId: string }>

  /**
   * Verifies and reads a webhook.
   *
   * @param rawBody the bytes as they came, unparsed
   * @throws Fault Unauthenticated when the signature is missing, wrong or too old
   */
  readEvent(rawBody: Buffer, signatureHeader: string): ProcessorEvent
}
