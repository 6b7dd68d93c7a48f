/**
 * Products: what sellers register and buyers subscribe to (spec §2), and their prices (spec §3).
 *
 * A product's states. `draft`: registered, not yet handed in; only its seller sees it. Submitting makes it
 * `pending-approval`, where it waits for the operator; integration may begin, nothing sells. From there the operator makes
 * it `approved` (it sells) or `rejected` (final; the seller registers anew). An approved product may be `withdrawn`, by its
 * seller or the operator, and that is final too: no new orders, and existing subscribers go on. Every change is a
 * compare-and-set on the state it starts from; asking for a change that has already happened is refused, except that the
 * same change twice by retry finds the product where it wanted it and changes nothing.
 */
import type { Currency } from '../base/money.ts'
import type { InstanceConfiguration } from './dimension.ts'

export const productStates = ['draft', 'pending-approval', 'approved', 'withdrawn', 'rejected'] as const
export type ProductState = (typeof productStates)[number]

/** What happens to instances still running when a subscription ends (spec §6). */
export const endOfAccessPolicies = ['stop', 'terminate', 'leave-running'] as const
export type EndOfAccessPolicy = (typeof endOfAccessPolicies)[number]

export interface Product {
  /** Eight upper-case hex digits; what is put on images. */
  readonly productCode: string
  /** Eight upper-case hex digits; part of the purchase URL, never the product code. */
  readonly offeringCode: string
  readonly sellerAccountId: string
  readonly companyName: string
  readonly name: string
  readonly description: string
  /** Where buyers are sent after their purchase. */
  readonly redirectUrl: string
  readonly terms?: string
  /** Never shown to buyers. */
  readonly privateContactEmail: string
  /** Never shown to buyers. */
  readonly privateContactTelephone: string
  /** E-mail address or URL. */
  readonly publicContact: string
  readonly currency: Currency
  readonly endOfAccessPolicy: EndOfAccessPolicy
  readonly state: ProductState
  /** What the operator or seller said at the last change of state. */
  readonly stateReason?: string
  readonly createdAt: Date
  readonly stateChangedAt: Date
}

/** A price from its effective instant until the next version's. */
export interface PriceVersion {
  readonly productCode: string
  readonly version: number
  readonly effectiveAt: Date
  /** Minor units; charged at each sign-up. */
  readonly oneTime: bigint
  /** Minor units; charged in advance. */
  readonly monthly: bigint
  readonly currency: Currency
  /** Dimension → nano units of the major unit per unit. A dimension that is not named costs buyers nothing. */
  readonly rates: ReadonlyMap<string, bigint>
}

/** Regions × environments × instance types a product covers, one row each. */
export type ProductConfiguration = readonly InstanceConfiguration[]

/** @param publicUrl the service's own address, without a slash at its end */
export function purchaseUrl(publicUrl: string, offeringCode: string): string {
  return `${publicUrl}/purchase/${offeringCode}`
}

/** Whether new buyers may order it. */
export function isOnSale(product: Pick<Product, 'state'>): boolean {
  return product.state === 'approved'
}
