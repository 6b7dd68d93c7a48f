import { expect, test } from 'vitest'
import { minimumBill } from './minimum-bill.ts'

test('a bill reaches what is configured, and what a card can be charged in its currency', () => {
  expect(minimumBill({ minimumBill: 50n }, 'USD')).toBe(50n)
  expect(minimumBill({ minimumBill: 200n }, 'USD')).toBe(200n)
  expect(minimumBill({ minimumBill: 0n }, 'USD')).toBe(50n)
  expect(minimumBill({ minimumBill: 50n }, 'CZK')).toBe(1500n)
  expect(minimumBill({ minimumBill: 2000n }, 'CZK')).toBe(2000n)
  expect(minimumBill({ minimumBill: 0n }, 'JPY')).toBe(50n)
})
