/**
 * Division and division into parts for money. Everything that turns a fraction of a minor unit
 * into whole minor units goes through this file, with its mode named at the call.
 */
import { assert } from './assert.ts'

/**
 * Divides and rounds to the nearest integer, halves away from zero (spec §5: the mode of every bill).
 *
 * @param numerator any integer
 * @param denominator a positive integer
 */
export function divideHalfAwayFromZero(numerator: bigint, denominator: bigint): bigint {
  assert(denominator > 0n, 'the denominator is positive')
  const magnitude = numerator < 0n ? -numerator : numerator
  const quotient = (2n * magnitude + denominator) / (2n * denominator)
  return numerator < 0n ? -quotient : quotient
}

/**
 * Splits a whole into parts proportional to weights, so that the parts sum to the whole exactly
 * (largest remainder; among equal remainders the earlier part gets the unit).
 *
 * @param whole integer, may be negative
 * @param weights non-negative integers, at least one of them positive
 * @returns as many integers as there are weights
 */
export function allocate(whole: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  assert(total > 0n, 'at least one weight is positive')
  assert(
    weights.every((weight) => weight >= 0n),
    'no weight is negative',
  )
  const sign = whole < 0n ? -1n : 1n
  const magnitude = whole * sign
  const parts = weights.map((weight) => (magnitude * weight) / total)
  const order = weights
    .map((weight, index) => ({ index, remainder: (magnitude * weight) % total }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1))
  let left = magnitude - parts.reduce((sum, part) => sum + part, 0n)
  for (const { index } of order) {
    if (left === 0n) break
    parts[index] = (parts[index] ?? 0n) + 1n
    left -= 1n
  }
  return parts.map((part) => part * sign)
}
