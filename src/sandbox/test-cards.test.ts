import { expect, test } from 'vitest'
import type { Refusal } from './sandbox.ts'
import { chargeDecline, checkCard, passesLuhn, setupDecline, testCards } from './test-cards.ts'

const now = new Date('2026-06-15T12:00:00Z')
const good = { number: '4242 4242 4242 4242', expMonth: 6, expYear: 26, cvc: '123' }

function codeOf(change: Partial<typeof good>): string | undefined {
  try {
    checkCard({ ...good, ...change }, now)
    return undefined
  } catch (error) {
    expect((error as Refusal).status).toBe(402)
    return (error as Refusal).body.code
  }
}

test('every published test card passes its own check digit, and numbers and ids are unique', () => {
  expect(testCards.length).toBeGreaterThan(15)
  expect(testCards.filter((card) => !passesLuhn(card.number))).toEqual([])
  expect(new Set(testCards.map((card) => card.number)).size).toBe(testCards.length)
  const ids = testCards.flatMap((card) => card.ids)
  expect(new Set(ids).size).toBe(ids.length)
})

test('what was typed is checked with Stripe’s codes', () => {
  expect(codeOf({})).toBeUndefined()
  expect(codeOf({ number: '4242424242424241' })).toBe('incorrect_number')
  expect(codeOf({ number: '4242' })).toBe('invalid_number')
  expect(codeOf({ number: 'abcd efgh ijkl mnop' })).toBe('invalid_number')
  expect(codeOf({ expMonth: 13 })).toBe('invalid_expiry_month')
  expect(codeOf({ expMonth: 0 })).toBe('invalid_expiry_month')
  expect(codeOf({ expMonth: 5 })).toBe('invalid_expiry_month')
  expect(codeOf({ expYear: 2025 })).toBe('invalid_expiry_year')
  expect(codeOf({ expYear: 2099 })).toBe('invalid_expiry_year')
  expect(codeOf({ cvc: '12' })).toBe('invalid_cvc')
  expect(codeOf({ cvc: '1234' })).toBe('invalid_cvc')
  expect(codeOf({ number: '378282246310005', cvc: '1234' })).toBeUndefined()
})

test('a good number that is no test card is taken and declined', () => {
  const card = checkCard({ ...good, number: '4539578763621486' }, now)
  expect(card).toMatchObject({ brand: 'visa', behaviour: 'test_mode_live_card' })
  expect(setupDecline(card.behaviour)?.declineCode).toBe('test_mode_live_card')
})

test('a card is good to the end of its month', () => {
  const card = { exp_month: 6, exp_year: 2026 }
  expect(chargeDecline('succeeds', card, new Date('2026-06-30T23:59:59Z'))).toBeUndefined()
  expect(chargeDecline('succeeds', card, new Date('2026-07-01T00:00:00Z'))?.code).toBe('expired_card')
})

test('the card that can be saved declines every charge', () => {
  expect(setupDecline('charge_declines')).toBeUndefined()
  expect(chargeDecline('charge_declines', { exp_month: 1, exp_year: 2030 }, now)?.declineCode).toBe('generic_decline')
})
