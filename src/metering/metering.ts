/** What is counted: hours of runs (spec §3), by subscription, dimension and stretch of time. */
import { assert } from '../base/assert.ts'
import type { Period } from '../base/period.ts'

/** A stretch of time in which a product's hours are counted together. */
export interface Segment extends Period {
  readonly productCode: string
}

/** Hours begun in one segment. */
export interface UsageCount {
  readonly accountId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly sellerAccountId: string
  /** `InstanceHours:<region>:<environment>:<instanceType>` */
  readonly dimension: string
  /** The segment's bounds, not the run's. */
  readonly periodStart: Date
  readonly periodEnd: Date
  /** Hours begun, more than zero. */
  readonly quantity: bigint
}

/** Hours begun in one segment by each of some subscriptions to a product. */
export interface ProductUsageCount extends Omit<UsageCount, 'accountId' | 'subscriptionId' | 'sellerAccountId'> {
  /** How many subscriptions have this quantity each. */
  readonly subscriptions: bigint
}

/** Cuts a period at instants inside it, so that the parts tile it: an hour falls into exactly one. */
export function cutPeriod(period: Period, at: readonly Date[]): Period[] {
  assert(period.start < period.end, 'a period that is cut is not empty')
  const inside = at
    .map((instant) => instant.getTime())
    .filter((ms) => ms > period.start.getTime() && ms < period.end.getTime())
  const bounds = [period.start.getTime(), ...[...new Set(inside)].toSorted((a, b) => a - b), period.end.getTime()]
  return bounds.slice(1).map((end, index) => ({ start: new Date(bounds[index] ?? end), end: new Date(end) }))
}
