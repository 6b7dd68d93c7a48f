/** Words of the command line as what they mean. What cannot be read is a mistake of the command line: exit code 2. */
import { InvalidArgumentError } from 'commander'
import { parseMonth, type Month } from '../base/period.ts'
import { addMs, dayMs, hourMs, minuteMs, parseInstant } from '../base/time.ts'

const limitMax = 1000

/** How many at the most. */
export function readLimit(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= limitMax) return count
  throw new InvalidArgumentError(`Give a whole number from 1 to ${limitMax}.`)
}

/** A port to listen on, 0 for a free one. */
export function readPort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new InvalidArgumentError('Give a port from 0 to 65535; 0 takes a free one.')
}

/** A calendar month such as `2026-06`. */
export function readMonth(text: string): Month {
  try {
    return parseMonth(text)
  } catch {
    throw new InvalidArgumentError('Write a month as 2026-06.')
  }
}

const unitMs = { m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs }
/** Beyond it, instants are no longer written with four digits of a year. */
const latest = new Date('9999-01-01T00:00:00Z')

/** Reads `2026-07-01`, `2026-07-01T12:00:00Z`, or a span such as `+7d`, `+36h`. */
export function readTarget(text: string): (now: Date) => Date {
  const span = /^\+(\d{1,6})([mhdw])$/.exec(text)
  if (span !== null) {
    const ms = Number(span[1]) * unitMs[span[2] as keyof typeof unitMs]
    return (now) => new Date(Math.min(addMs(now, ms).getTime(), latest.getTime()))
  }
  const instant = parseInstant(text)
  if (instant === undefined || instant > latest) {
    throw new InvalidArgumentError(
      'Write an instant (2026-07-01 or 2026-07-01T12:00:00Z) or a span (+90m, +36h, +7d, +4w).',
    )
  }
  return () => instant
}
