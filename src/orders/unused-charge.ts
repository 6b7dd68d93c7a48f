import { assert } from '../base/assert.ts'
import { monthOf, prorateFrom } from '../base/period.ts'
import { startOfNextDay } from '../base/time.ts'

/**
 * The part of a month's charge that a cancellation gives back (spec §5).
 *
 * The day of the cancellation counts as used, whole; the days after it are given back at the price of the month:
 * monthly charge × days after ÷ days in the month, to the cent, half away from zero. That is what the buyer would be
 * charged for signing up on the day after, so a charge that was itself prorated from the sign-up day needs no other rule.
 * Never more than was charged. The used part is what remains of the charge: used + refund = charge, always.
 *
 * @param charge.monthly the whole month's charge of its price version, minor units
 * @param charge.charged what was charged for the month, minor units: the same, or prorated from the sign-up day
 * @param cancelledAt an instant inside the month the charge is for
 */
export function unusedCharge(
  charge: { readonly monthly: bigint; readonly charged: bigint },
  cancelledAt: Date,
): bigint {
  assert(charge.monthly >= 0n && charge.charged >= 0n, 'charges are not negative')
  const dayAfter = startOfNextDay(cancelledAt)
  if (monthOf(dayAfter) !== monthOf(cancelledAt)) return 0n
  const unused = prorateFrom(charge.monthly, dayAfter)
  return unused < charge.charged ? unused : charge.charged
}
