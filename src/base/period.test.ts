import fc from 'fast-check'
import { expect, test } from 'vitest'
import { daysInMonth, monthOf, monthPeriod, nextMonth, parseMonth, previousMonth, prorateFrom } from './period.ts'
import { addMs, parseInstant, startOfNextDay } from './time.ts'

const instants = fc.date({
  min: new Date('2000-01-01T00:00:00Z'),
  max: new Date('2099-12-31T23:59:59Z'),
  noInvalidDate: true,
})

test('months tile time: every instant lies in exactly one, and each ends where the next begins', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      const month = monthOf(instant)
      const { start, end } = monthPeriod(month)
      expect(start <= instant && instant < end).toBe(true)
      expect(monthPeriod(nextMonth(month)).start).toEqual(end)
      expect(previousMonth(nextMonth(month))).toBe(month)
      expect(monthOf(addMs(end, -1))).toBe(month)
    }),
  )
})

test.each([
  ['2009-06-03', 1867n],
  ['2009-06-04', 1800n],
  ['2009-06-05', 1733n],
  ['2009-06-01', 2000n],
  ['2009-06-30', 67n],
])('$20.00 a month from %s costs %s cents for the rest of June (spec §5)', (day, cents) => {
  expect(prorateFrom(2000n, new Date(`${day}T12:34:56Z`))).toBe(cents)
})

test('a prorated charge never exceeds the charge, and only the first day costs all of it', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 9n), instants, (charge, signUp) => {
      const part = prorateFrom(charge, signUp)
      expect(part >= 0n && part <= charge).toBe(true)
      if (signUp.getUTCDate() === 1) expect(part).toBe(charge)
    }),
  )
})

test('February knows leap years', () => {
  expect(daysInMonth('2024-02')).toBe(29)
  expect(daysInMonth('2100-02')).toBe(28)
})

test.each(['2026-13', '2026-6', '26-06', '2026-00', ''])('%s is no month', (text) => {
  expect(() => parseMonth(text)).toThrow('write it as 2026-06')
})

test('instants are read from ISO 8601 only', () => {
  expect(parseInstant('2026-07-01')).toEqual(new Date('2026-07-01T00:00:00Z'))
  expect(parseInstant('2026-07-01T10:00:00+02:00')).toEqual(new Date('2026-07-01T08:00:00Z'))
  expect(parseInstant('tomorrow')).toBeUndefined()
  expect(parseInstant('2026-13-01')).toBeUndefined()
})

test('the next day begins at the next midnight, also from midnight', () => {
  expect(startOfNextDay(new Date('2026-06-30T00:00:00Z'))).toEqual(new Date('2026-07-01T00:00:00Z'))
  expect(startOfNextDay(new Date('2026-06-30T23:59:59.999Z'))).toEqual(new Date('2026-07-01T00:00:00Z'))
})
