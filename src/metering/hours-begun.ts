/**
 * Instance-hours (spec §3). A run lasts from `startedAt` to `endedAt`. Its hours begin at its start and every hour after it
 * for as long as it lasts; each is charged when it begins, partial hours whole. A run that began has begun an hour, even
 * when it ended in the same instant; the next start of the instance is another run, and begins another hour.
 *
 * Counting is a formula, not a walk: a million instances that run all month cost one row each, whatever the month. (Hours
 * as rows, written as they pass, were rejected: 720 writes a month for each instance.)
 */
import { assert } from '../base/assert.ts'
import type { Period } from '../base/period.ts'
import { hourMs } from '../base/time.ts'

export interface Run {
  readonly startedAt: Date
  /** Left out while it runs. */
  readonly endedAt?: Date | undefined
}

/** The hours of a run that begin inside a period. Over periods that tile time they sum to the run's hours exactly. */
export function hoursBegun(run: Run, period: Period): bigint {
  assert(period.start <= period.end, 'a period does not end before it starts')
  assert(run.endedAt === undefined || run.endedAt >= run.startedAt, 'a run does not end before it starts')
  return BigInt(begunBefore(run, period.end) - begunBefore(run, period.start))
}

/** Hours that begin before an instant: whole numbers far below 2⁵³, so a JavaScript number holds them exactly. */
function begunBefore(run: Run, instant: Date): number {
  const started = run.startedAt.getTime()
  const passed = Math.max(Math.ceil((instant.getTime() - started) / hourMs), 0)
  if (run.endedAt === undefined) return passed
  return Math.min(passed, Math.max(Math.ceil((run.endedAt.getTime() - started) / hourMs), 1))
}
