/**
 * Calendar months, UTC (spec §5). A month is written `2026-06`; periods are half-open, start ≤ t < end, so that
 * months tile time exactly.
 */
import { Fault } from './fault.ts'
import { divideHalfAwayFromZero } from './rounding.ts'
import { dayMs } from './time.ts'

/** A calendar month as text, `YYYY-MM`: sorts as it reads. */
export type Month = `${number}-${number}`

export interface Period {
  /** First instant inside. */
  readonly start: Date
  /** First instant after. */
  readonly end: Date
}

/** @throws Fault InvalidParameter when the text is not `YYYY-MM` */
export function parseMonth(text: string): Month {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) {
    throw new Fault('InvalidParameter', `"${text}" is not a month; write it as 2026-06.`)
  }
  return text as Month
}

export function monthOf(instant: Date): Month {
  return instant.toISOString().slice(0, 7) as Month
}

export function monthPeriod(month: Month): Period {
  const { year, index } = split(month)
  return { start: new Date(Date.UTC(year, index, 1)), end: new Date(Date.UTC(year, index + 1, 1)) }
}

export function nextMonth(month: Month): Month {
  return monthOf(monthPeriod(month).end)
}

export function previousMonth(month: Month): Month {
  const { year, index } = split(month)
  return monthOf(new Date(Date.UTC(year, index - 1, 1)))
}

export function daysInMonth(month: Month): number {
  const { start, end } = monthPeriod(month)
  return (end.getTime() - start.getTime()) / dayMs
}

/**
 * The part of a monthly charge for the rest of the month, sign-up day included (spec §5): charge × days left ÷ days
 * in the month, half away from zero. $20.00 on 3 June is $18.67.
 *
 * @param chargeMinor the whole month's charge in minor units
 */
export function prorateFrom(chargeMinor: bigint, signUp: Date): bigint {
  const days = daysInMonth(monthOf(signUp))
  return divideHalfAwayFromZero(chargeMinor * BigInt(days - signUp.getUTCDate() + 1), BigInt(days))
}

function split(month: Month): { year: number; index: number } {
  return { year: Number(month.slice(0, 4)), index: Number(month.slice(5, 7)) - 1 }
}
