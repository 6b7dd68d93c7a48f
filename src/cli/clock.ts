/** `turnpike clock`: where the billing clock stands, and moving the manual one. */
import { InvalidArgumentError, type Command } from 'commander'
import { dayMs, hourMs, minuteMs, parseInstant, addMs } from '../base/time.ts'
import type { Step } from '../jobs/schedule.ts'
import { Progress, print } from './output.ts'
import { withHouse } from './with-house.ts'

const unitMs = { m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs }

/** Reads `2026-07-01`, `2026-07-01T12:00:00Z`, or a span such as `+7d`, `+36h`. */
function readTarget(text: string): (now: Date) => Date {
  const span = /^\+(\d{1,6})([mhdw])$/.exec(text)
  if (span !== null) {
    const ms = Number(span[1]) * unitMs[span[2] as keyof typeof unitMs]
    return (now) => addMs(now, ms)
  }
  const instant = parseInstant(text)
  if (instant === undefined)
    throw new InvalidArgumentError(
      'Write an instant (2026-07-01 or 2026-07-01T12:00:00Z) or a span (+90m, +36h, +7d, +4w).',
    )
  return () => instant
}

export function addClockCommands(program: Command): void {
  const clock = program.command('clock').description('Show the billing clock; advance a manual one.')
  clock
    .command('show')
    .description('Print where the billing clock stands.')
    .addHelpText('after', '\nExample:\n  turnpike clock show')
    .action(async (_options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const now = await database.read((tx) => Promise.resolve(tx.now))
        print(json, { kind: database.clock.kind, now }, () => `${now.toISOString()} (${database.clock.kind} clock)`)
      })
    })
  clock
    .command('advance')
    .description('Move the manual clock forward; everything due on the way happens, in order, at its own instant.')
    .argument('<to>', 'an instant, or a span such as +7d', readTarget)
    .addHelpText('after', '\nExamples:\n  turnpike clock advance +36h\n  turnpike clock advance 2026-07-01T00:00:00Z')
    .action(async (target: (now: Date) => Date, _options: unknown, command: Command) => {
      await withHouse(command, async (house, json) => {
        const from = await house.database.read((tx) => Promise.resolve(tx.now))
        const progress = new Progress()
        const steps: Step[] = []
        await house.advance(target(from), (step) => {
          steps.push(step)
          progress.report(`${step.at.toISOString()} ${step.name}`)
        })
        progress.end()
        print(json, { from, to: steps.at(-1)?.at, steps }, () =>
          steps
            .map((step) => `${step.at.toISOString()}  ${step.name === 'clock' ? 'the clock stands here' : step.name}`)
            .join('\n'),
        )
      })
    })
}
