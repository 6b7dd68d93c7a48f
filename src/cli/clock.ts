/** `turnpike clock`: where the billing clock stands, and moving the manual one. */
import type { Command } from 'commander'
import type { Step } from '../jobs/schedule.ts'
import { Progress, print } from './output.ts'
import { readTarget } from './read-arguments.ts'
import { withHouse } from './with-house.ts'

export function addClockCommands(program: Command): void {
  const clock = program
    .command('clock')
    .description('Show the billing clock; advance a manual one.')
    .addHelpText('after', '\nExamples:\n  turnpike clock show\n  turnpike clock advance +36h')
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
