/**
 * A fault is a refusal that its caller can understand and act on: a code that endpoints map to their wire, a public
 * sentence (what was found, what is allowed, what to do), and internal detail for the log only.
 */

/** Every code with the HTTP status of the wires that have no status of their own for it. */
export const faultStatus = {
  InvalidAmount: 400,
  InvalidParameter: 400,
  MissingParameter: 400,
  UnknownParameter: 400,
  InvalidConfiguration: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  IncorrectState: 409,
  IdempotencyMismatch: 409,
  NotSubscribed: 401,
  SubscriptionSuspended: 401,
  NoLaunchPermission: 401,
  OutsideConfiguration: 400,
  ProductCodeAlreadySet: 409,
  ImageNotFound: 404,
  ImageUnavailable: 409,
  InstanceNotFound: 404,
  ProductNotFound: 404,
  LimitExceeded: 429,
  PaymentRefused: 402,
  DebtOutstanding: 402,
  ProcessorUnavailable: 503,
  Unsupported: 400,
  Internal: 500,
} as const

export type FaultCode = keyof typeof faultStatus

/** A refusal with a code, a public sentence, and optionally internal detail that only the log may show. */
export class Fault extends Error {
  readonly code: FaultCode
  /** Never shown to a caller. */
  readonly detail: unknown
  /** What a wire needs besides the sentence: the name of the parameter, the purchase URL, … Public. */
  readonly data: Readonly<Record<string, string>>

  constructor(code: FaultCode, message: string, options: { detail?: unknown; data?: Record<string, string> } = {}) {
    super(message)
    this.name = 'Fault'
    this.code = code
    this.detail = options.detail
    this.data = options.data ?? {}
  }

  get status(): number {
    return faultStatus[this.code]
  }
}
