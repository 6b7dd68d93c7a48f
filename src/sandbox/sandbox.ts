/** What the sandbox is made of: its objects, the call being answered, and refusals in Stripe's own envelope. */
import { randomBytes } from 'node:crypto'
import type Stripe from 'stripe'
import type { Transaction } from '../database/database.ts'

/** The version of Stripe's API whose objects the sandbox answers with; the one the SDK's types describe. */
export const apiVersion = '2026-10-28.endive' satisfies Stripe.LatestApiVersion

/** The kinds of objects kept, each in the shape its wire shows. */
export interface SandboxObjects {
  customer: Stripe.Customer | Stripe.DeletedCustomer
  payment_method: Stripe.PaymentMethod
  setup_intent: Stripe.SetupIntent
  payment_intent: Stripe.PaymentIntent
  charge: Stripe.Charge
  refund: Stripe.Refund
  'checkout.session': Stripe.Checkout.Session
  account: Stripe.Account
  transfer: Stripe.Transfer
  event: Stripe.Event
}

export type Kind = keyof SandboxObjects

/** One request being answered, in its one transaction. */
export interface Call {
  readonly tx: Transaction
  readonly requestId: string
  readonly idempotencyKey: string | null
  /** Where buyers reach the hosted pages. */
  readonly pagesUrl: string
}

/** An answer other than 200 whose effects are kept: a declined charge leaves its payment intent behind. */
export class Answer {
  readonly status: number
  readonly body: object

  constructor(status: number, body: object) {
    this.status = status
    this.body = body
  }
}

/** The inside of Stripe's error envelope. */
export interface ErrorBody {
  readonly type: 'card_error' | 'invalid_request_error' | 'idempotency_error' | 'api_error'
  readonly message: string
  readonly code?: string
  readonly decline_code?: string
  readonly param?: string
  readonly charge?: string
  readonly payment_intent?: Stripe.PaymentIntent
  readonly setup_intent?: Stripe.SetupIntent
  readonly payment_method?: Stripe.PaymentMethod
}

/** A request refused before it had any effect: nothing is written, and its idempotency key stays free. */
export class Refusal extends Error {
  readonly status: number
  readonly body: ErrorBody

  constructor(status: number, body: ErrorBody) {
    super(body.message)
    this.name = 'Refusal'
    this.status = status
    this.body = body
  }
}

export function invalidRequest(message: string, code?: string, param?: string): Refusal {
  return new Refusal(400, {
    type: 'invalid_request_error',
    message,
    ...(code !== undefined && { code }),
    ...(param !== undefined && { param }),
  })
}

/** Stripe answers 404 when the path names what is missing, 400 when a parameter does. */
export function missing(noun: string, id: string, param = 'id'): Refusal {
  return new Refusal(param === 'id' ? 404 : 400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${noun}: '${id}'`,
    param,
  })
}

export function newObjectId(prefix: string): string {
  return `${prefix}_${randomBytes(18).toString('base64url').replace(/[-_]/g, '0')}`
}

/** What Stripe calls a timestamp: whole seconds. */
export function epochSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000)
}

/** Metadata after an update: keys are merged, an empty value removes its key, an empty string removes all. */
export function mergeMetadata(
  before: Stripe.Metadata,
  change: '' | Readonly<Record<string, string>> | undefined,
): Stripe.Metadata {
  if (change === '') return {}
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''))
}

/** The id of a reference that may have been expanded. */
export function idOf(reference: string | { id: string } | null): string | null {
  return reference === null || typeof reference === 'string' ? reference : reference.id
}
