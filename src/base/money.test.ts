import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fault } from './fault.ts'
import {
  addAmounts,
  currencies,
  displayAmount,
  formatAmount,
  formatRate,
  parseAmount,
  parseRate,
  priceQuantity,
} from './money.ts'
import { allocate, divideHalfAwayFromZero } from './rounding.ts'

const amounts = fc.record({ minor: fc.bigInt(-(10n ** 17n), 10n ** 17n), currency: fc.constantFrom(...currencies) })

test('an amount written and read again is the same amount', () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      const small = { ...amount, minor: amount.minor % 10n ** 15n }
      expect(parseAmount(formatAmount(small), small.currency)).toEqual(small)
    }),
  )
})

test('a rate written and read again is the same rate', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 22n), (nano) => {
      expect(parseRate(formatRate(nano))).toBe(nano)
    }),
  )
})

test.each([
  ['20', 2000n],
  ['20.5', 2050n],
  ['0.30', 30n],
  ['-0.30', -30n],
  ['1.2300', 123n],
])('%s USD is %s cents', (text, minor) => {
  expect(parseAmount(text, 'USD')).toEqual({ minor, currency: 'USD' })
})

test.each(['', '1,000', '1e3', '0.001', '.5', '5.', 'NaN', '--1', '9999999999999999'])(
  '%s is refused as USD',
  (text) => {
    expect(() => parseAmount(text, 'USD')).toThrow(Fault)
  },
)

test('a currency without minor units takes no decimals', () => {
  expect(formatAmount(parseAmount('100', 'JPY'))).toBe('100')
  expect(() => parseAmount('100.5', 'JPY')).toThrow('at most 0 decimals')
})

test('people see symbols and grouped digits', () => {
  expect(displayAmount(parseAmount('1234567.8', 'USD'))).toBe('$1,234,567.80')
  expect(displayAmount(parseAmount('-0.3', 'EUR'))).toBe('-€0.30')
  expect(displayAmount(parseAmount('5', 'SEK'))).toBe('5.00 SEK')
})

test('a negative rate, and one finer than nano, is refused', () => {
  expect(() => parseRate('-0.1')).toThrow('zero or more')
  expect(() => parseRate('0.0000000001')).toThrow('at most 9 decimals')
})

test('amounts of two currencies do not add', () => {
  expect(() => addAmounts(parseAmount('1', 'USD'), parseAmount('1', 'EUR'))).toThrow('do not add')
})

test('a quantity is priced with one rounding, half away from zero', () => {
  expect(priceQuantity(3n, parseRate('0.50'), 'USD')).toBe(150n)
  expect(priceQuantity(1n, parseRate('0.005'), 'USD')).toBe(1n)
  expect(priceQuantity(1n, parseRate('0.0049'), 'USD')).toBe(0n)
  expect(priceQuantity(1000n, parseRate('0.0049'), 'USD')).toBe(490n)
})

test('division rounds to the nearest, halves away from zero', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.bigInt(1n, 10n ** 9n), (numerator, denominator) => {
      const quotient = divideHalfAwayFromZero(numerator, denominator)
      const twiceError = 2n * (numerator - quotient * denominator)
      const magnitude = twiceError < 0n ? -twiceError : twiceError
      expect(magnitude <= denominator).toBe(true)
      // An exact half is always the larger magnitude.
      if (magnitude === denominator)
        expect(quotient * quotient * denominator * denominator > numerator * numerator).toBe(true)
    }),
  )
})

test('parts sum to the whole and differ from their exact share by less than one', () => {
  fc.assert(
    fc.property(
      fc.bigInt(-(10n ** 12n), 10n ** 12n),
      fc
        .array(fc.bigInt(0n, 10n ** 6n), { minLength: 1, maxLength: 20 })
        .filter((weights) => weights.some((w) => w > 0n)),
      (whole, weights) => {
        const parts = allocate(whole, weights)
        const total = weights.reduce((a, b) => a + b)
        expect(parts.reduce((a, b) => a + b)).toBe(whole)
        parts.forEach((part, index) => {
          const error = part * total - whole * (weights[index] ?? 0n)
          expect(error < total && error > -total).toBe(true)
        })
      },
    ),
  )
})
