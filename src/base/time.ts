/** Instants are `Date` objects, UTC, to the millisecond; they come from the clock of the transaction only. */

export const secondMs = 1000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

export function addMs(instant: Date, milliseconds: number): Date {
  return new Date(instant.getTime() + milliseconds)
}

export function addDays(instant: Date, days: number): Date {
  return addMs(instant, days * dayMs)
}

/** Midnight UTC at which the instant's day began. */
export function startOfDay(instant: Date): Date {
  return new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth(), instant.getUTCDate()))
}

/** Midnight UTC at which the day after the instant's begins. */
export function startOfNextDay(instant: Date): Date {
  return addDays(startOfDay(instant), 1)
}

/**
 * Reads an ISO 8601 instant such as `2026-07-01T00:00:00Z`, or a bare UTC day such as `2026-07-01`.
 *
 * @returns undefined when it is neither
 */
export function parseInstant(text: string): Date | undefined {
  const match = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text)
  if (match === null) return undefined
  const instant = new Date(text)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}
