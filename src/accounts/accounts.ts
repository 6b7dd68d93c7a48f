/** Accounts: who buys, sells and operates. One account can be all of these (spec §1). */

/** An account of twelve digits. */
export interface Account {
  readonly accountId: string
  readonly name: string
  /** Lower case. */
  readonly email: string
  readonly emailVerified: boolean
  /** Runs the service and the cloud: approves products, sees every account. */
  readonly operator: boolean
  readonly createdAt: Date
}

/** Who stands behind a request, however the request proved it. */
export interface Caller {
  readonly accountId: string
  readonly operator: boolean
  readonly via: 'access-key' | 'session' | 'command'
  readonly accessKeyId?: string
  readonly personId?: string
}

/** What an account is as a seller; made by its first product registration (spec §2). */
export interface Seller {
  readonly sellerAccountId: string
  readonly companyName: string
  /** Until then the seller is paid nothing and may hold only so much expected revenue (spec §7). */
  readonly bankAccountVerified: boolean
  /** The seller's account at the payment processor. */
  readonly processorAccountId?: string
  readonly createdAt: Date
}

/** An access key as its owner sees it afterwards: its secret is shown once, when it is made. */
export interface AccessKey {
  readonly accessKeyId: string
  readonly accountId: string
  readonly active: boolean
  readonly createdAt: Date
}

/** An access key as a signature check needs it. */
export interface SigningKey {
  readonly accountId: string
  readonly operator: boolean
  /** A signature by an inactive key is refused, whatever it is. */
  readonly active: boolean
  readonly secret: string
}

/** One change, who made it and to what. */
export interface AuditEntry {
  readonly accountId: string
  readonly auditId: string
  readonly at: Date
  /** An account id, or `system`. */
  readonly actor: string
  /** Such as `access-key.create`. */
  readonly action: string
  /** The id of what was changed. */
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** The actor of what no account does: the command line of the operator's machine, the clock. */
export const systemActor = 'system'

/** AWS allows two; five leave room for rotating the keys of several machines. */
export const accessKeysPerAccountMax = 5
