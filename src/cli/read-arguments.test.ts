import { expect, test } from 'vitest'
import { readLimit, readMonth, readPort, readTarget } from './read-arguments.ts'

const now = new Date('2026-06-03T09:00:00Z')

test.each([
  ['2026-07-01', '2026-07-01T00:00:00.000Z'],
  ['2026-07-01T12:30:00Z', '2026-07-01T12:30:00.000Z'],
  ['2026-07-01T12:30:00+02:00', '2026-07-01T10:30:00.000Z'],
  ['+90m', '2026-06-03T10:30:00.000Z'],
  ['+36h', '2026-06-04T21:00:00.000Z'],
  ['+7d', '2026-06-10T09:00:00.000Z'],
  ['+4w', '2026-07-01T09:00:00.000Z'],
  ['+0d', '2026-06-03T09:00:00.000Z'],
  ['+999999w', '9999-01-01T00:00:00.000Z'],
])('the clock goes to %s', (text, instant) => {
  expect(readTarget(text)(now).toISOString()).toBe(instant)
})

test.each([
  '',
  'soon',
  '7d',
  '-7d',
  '+7',
  '+7y',
  '+1.5d',
  '+1000000d',
  '2026-02-30T25:00',
  '2026-13-01',
  '99999-01-01',
])('the clock does not go to "%s"', (text) => {
  expect(() => readTarget(text)).toThrow('Write an instant (2026-07-01')
})

test('limits', () => {
  expect([readLimit('1'), readLimit('1000')]).toEqual([1, 1000])
  for (const text of ['', '0', '1001', 'abc', '1e2', '-1', '1.5', ' 1']) {
    expect(() => readLimit(text)).toThrow('whole number from 1 to 1000')
  }
})

test('ports', () => {
  expect([readPort('0'), readPort('65535')]).toEqual([0, 65535])
  for (const text of ['', '65536', 'http', '-1', '8080.5']) expect(() => readPort(text)).toThrow('from 0 to 65535')
})

test('months', () => {
  expect(readMonth('2026-06')).toBe('2026-06')
  for (const text of ['', 'June', '2026-6', '2026-13', '2026-06-01']) {
    expect(() => readMonth(text)).toThrow('Write a month as 2026-06.')
  }
})
