import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addMs, hourMs, minuteMs } from '../base/time.ts'
import { hoursBegun, type Run } from './hours-begun.ts'
import { cutPeriod } from './metering.ts'

const start = new Date('2026-06-10T09:30:00Z')
const june = { start: new Date('2026-06-01T00:00:00Z'), end: new Date('2026-07-01T00:00:00Z') }

/** Hours as the spec tells them, one after the other. */
function walk(run: Run, period: { start: Date; end: Date }): bigint {
  let count = 0n
  for (let index = 0; ; index += 1) {
    const begins = addMs(run.startedAt, index * hourMs)
    if (begins >= period.end) return count
    if (index > 0 && run.endedAt !== undefined && begins >= run.endedAt) return count
    if (begins >= period.start) count += 1n
  }
}

const anyRun = fc
  .record({
    startedAt: fc.date({
      min: new Date('2026-05-28T00:00:00Z'),
      max: new Date('2026-07-03T00:00:00Z'),
      noInvalidDate: true,
    }),
    lengthMs: fc.option(
      fc.oneof(
        fc.integer({ min: 0, max: 90 * hourMs }),
        fc.integer({ min: 0, max: 90 }).map((hours) => hours * hourMs),
      ),
      { nil: undefined },
    ),
  })
  .map(({ startedAt, lengthMs }): Run =>
    lengthMs === undefined ? { startedAt } : { startedAt, endedAt: addMs(startedAt, lengthMs) },
  )

describe('hoursBegun', () => {
  it.each([
    [0, 1n],
    [1, 1n],
    [hourMs - 1, 1n],
    [hourMs, 1n],
    [hourMs + 1, 2n],
    [3 * hourMs, 3n],
  ])('a run of %i ms has begun %i hours', (lengthMs, hours) => {
    expect(hoursBegun({ startedAt: start, endedAt: addMs(start, lengthMs) }, june)).toBe(hours)
  })

  it('gives an hour that crosses midnight of the month to the month it begins in', () => {
    const run = { startedAt: new Date('2026-06-30T23:30:00Z'), endedAt: new Date('2026-07-01T01:00:00Z') }
    const july = { start: june.end, end: new Date('2026-08-01T00:00:00Z') }
    expect(hoursBegun(run, june)).toBe(1n)
    expect(hoursBegun(run, july)).toBe(1n)
  })

  it('gives an hour that begins at the first instant of a month to that month', () => {
    const run = { startedAt: june.end, endedAt: june.end }
    expect(hoursBegun(run, june)).toBe(0n)
    expect(hoursBegun(run, { start: june.end, end: new Date('2026-08-01T00:00:00Z') })).toBe(1n)
  })

  it('counts an open run as it will count once it has ended later', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 * 24 * 40 }), (minutes) => {
        const endedAt = addMs(june.end, minutes * minuteMs)
        expect(hoursBegun({ startedAt: start }, june)).toBe(hoursBegun({ startedAt: start, endedAt }, june))
      }),
    )
  })

  it('is the walk from hour to hour', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        expect(hoursBegun(run, june)).toBe(walk(run, june))
      }),
    )
  })

  it('tiles: however time is cut, every hour is in exactly one part', () => {
    const instant = fc.date({ min: june.start, max: june.end, noInvalidDate: true })
    fc.assert(
      fc.property(anyRun, fc.array(instant, { maxLength: 12 }), (run, cuts) => {
        const parts = cutPeriod(june, cuts)
        expect(parts[0]?.start).toEqual(june.start)
        expect(parts.at(-1)?.end).toEqual(june.end)
        const sum = parts.reduce((total, part) => total + hoursBegun(run, part), 0n)
        expect(sum).toBe(hoursBegun(run, june))
      }),
    )
  })

  it('refuses a run that ends before it starts', () => {
    expect(() => hoursBegun({ startedAt: start, endedAt: addMs(start, -1) }, june)).toThrow('does not end before')
  })
})
