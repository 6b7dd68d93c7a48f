/** `turnpike close-month`: bill a month that has ended. The service does it by itself; this is for looking, hurrying and resuming. */
import type { Command } from 'commander'
import { parseMonth } from '../base/period.ts'
import { closeMonth } from '../invoices/close-month.ts'
import { Progress, print } from './output.ts'
import { withHouse } from './with-house.ts'

export function addCloseMonthCommand(program: Command): void {
  program
    .command('close-month')
    .description(
      'Close a month that has ended: count use, make the bills, book them. Closing it again changes nothing.',
    )
    .argument('<month>', 'such as 2026-06')
    .addHelpText('after', '\nExamples:\n  turnpike close-month 2026-06\n  turnpike close-month 2026-06 --json')
    .action(async (text: string, _options: unknown, command: Command) => {
      const month = parseMonth(text)
      await withHouse(command, async ({ database }, json) => {
        const progress = new Progress()
        const closed = await closeMonth(database, {
          month,
          report: ({ done, total }) => progress.report(`${month}: ${done} of ${total} accounts closed`),
        })
        progress.end()
        print(json, closed, () => {
          const parked = closed.parked === 0 ? '' : ` ${closed.parked} accounts are parked and wait for you.`
          return `${month} is closed for ${closed.done} of ${closed.total} accounts.${parked}`
        })
      })
    })
}
