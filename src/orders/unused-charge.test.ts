import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { daysInMonth, prorateFrom, type Month } from '../base/period.ts'
import { unusedCharge } from './unused-charge.ts'

const day = (month: string, date: number, time = '12:34:56Z') =>
  new Date(`${month}-${String(date).padStart(2, '0')}T${time}`)

describe('what a cancellation gives back', () => {
  test.each([
    [1, 1933n],
    [2, 1867n],
    [10, 1333n],
    [15, 1000n],
    [29, 67n],
    [30, 0n],
  ])('of $20.00 for June on the %ith', (date, refund) => {
    expect(unusedCharge({ monthly: 2000n, charged: 2000n }, day('2026-06', date))).toBe(refund)
  })

  test('of a first month from the 3rd is the same as of a whole one, day by day', () => {
    const charged = prorateFrom(2000n, day('2026-06', 3))
    expect(charged).toBe(1867n)
    expect(unusedCharge({ monthly: 2000n, charged }, day('2026-06', 3))).toBe(1800n)
    expect(unusedCharge({ monthly: 2000n, charged }, day('2026-06', 10))).toBe(1333n)
  })

  test('counts days, not hours, and days in UTC', () => {
    for (const time of ['00:00:00Z', '23:59:59.999Z']) {
      expect(unusedCharge({ monthly: 3000n, charged: 3000n }, day('2026-06', 14, time))).toBe(1600n)
    }
  })

  test('refund and used part make up the charge on every day of every month', () => {
    const months = fc
      .tuple(fc.integer({ min: 2000, max: 2099 }), fc.integer({ min: 1, max: 12 }))
      .map(([year, month]) => `${year}-${String(month).padStart(2, '0')}` as Month)
    fc.assert(
      fc.property(
        months,
        fc.bigInt({ min: 0n, max: 100_000_000n }),
        fc.integer({ min: 1, max: 31 }),
        (month, monthly, from) => {
          const days = daysInMonth(month)
          const signUpDay = Math.min(from, days)
          const charged = prorateFrom(monthly, day(month, signUpDay))
          let before = charged
          for (let date = signUpDay; date <= days; date += 1) {
            const refund = unusedCharge({ monthly, charged }, day(month, date))
            const used = charged - refund
            expect(refund).toBeGreaterThanOrEqual(0n)
            expect(refund).toBeLessThanOrEqual(before)
            // What the buyer keeps paying for is the days used, sign-up and cancellation day included, to within a cent.
            const exactUsed = monthly * BigInt(date - signUpDay + 1)
            const off = used * BigInt(days) - exactUsed
            expect(off <= BigInt(days) && -off <= BigInt(days)).toBe(true)
            before = refund
          }
          expect(before).toBe(0n)
        },
      ),
    )
  })

  test('is never more than was charged', () => {
    expect(unusedCharge({ monthly: 3000n, charged: 500n }, day('2026-06', 2))).toBe(500n)
  })
})
