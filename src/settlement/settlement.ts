/**
 * Settlement, in words (spec §7). A buyer's month of a product has, at any time,
 *
 * - revenue R: what the buyer was billed for it (charges for the month, use in it), less what was refunded,
 * - cost C: the cloud's ordinary rate for the use,
 * - collected K: what the buyer has so far paid of R, less what was refunded.
 *
 * What the seller has been charged is a function of these three and of nothing else, so that however the money came in, in
 * whatever pieces and order, the books end the same. Each time one of them changes, a step charges the difference to what
 * was charged before, and gives it back when it is negative.
 */
import { assert } from '../base/assert.ts'
import { divideHalfAwayFromZero } from '../base/rounding.ts'

/** Minor units, none negative. */
export interface Figures {
  readonly revenue: bigint
  readonly cost: bigint
  readonly collected: bigint
}

/** What is charged in all, minor units. */
export interface Charged {
  readonly costCharged: bigint
  readonly feeCharged: bigint
}

export const nothingCharged: Charged = { costCharged: 0n, feeCharged: 0n }

const basisPointsPerWhole = 10_000n

/**
 * Cost recovered in all: only as far as the buyer has paid, except that the part no expected revenue covers is owed in any
 * case. A buyer who never pays costs the seller max(0, C − R).
 */
export function costCharged({ revenue, cost, collected }: Figures): bigint {
  return cost <= revenue ? min(cost, collected) : min(revenue, collected) + (cost - revenue)
}

/**
 * Percentage fee charged in all: of the value-add already collected, before the transaction fee, and nothing when it is
 * negative. Rounded once, half away from zero.
 *
 * @param percentageFee basis points: 300 is 3 %
 */
export function feeCharged({ revenue, cost, collected }: Figures, percentageFee: bigint): bigint {
  const valueAdd = min(collected, revenue) - cost
  return valueAdd <= 0n ? 0n : divideHalfAwayFromZero(valueAdd * percentageFee, basisPointsPerWhole)
}

/** What is charged in all at these figures. */
export function charged(figures: Figures, percentageFee: bigint): Charged {
  assert(figures.revenue >= 0n && figures.cost >= 0n && figures.collected >= 0n, 'no figure of a month is negative')
  return { costCharged: costCharged(figures), feeCharged: feeCharged(figures, percentageFee) }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
