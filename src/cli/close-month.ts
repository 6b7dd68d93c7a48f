/**
 * `turnpike close-month`: bill a month that has ended. The service does it by itself; this is for looking, hurrying and
 * resuming, and for the accounts whose month could not be closed.
 */
import type { Command } from 'commander'
import { Fault } from '../base/fault.ts'
import type { Month } from '../base/period.ts'
import { closeMonth, type MonthClosed } from '../invoices/close-month.ts'
import { listParked, releaseParked } from '../invoices/parked-accounts.ts'
import type { House } from '../main.ts'
import { Progress, print, table } from './output.ts'
import { readMonth } from './read-arguments.ts'
import { withHouse } from './with-house.ts'

export function addCloseMonthCommand(program: Command): void {
  program
    .command('close-month')
    .description(
      'Close a month that has ended: count use, make the bills, book them. Closing it again changes nothing.',
    )
    .argument('<month>', 'such as 2026-06', readMonth)
    .option('--parked', 'close nothing: list the accounts whose month could not be closed, with the reasons')
    .option('--release <account-id>', 'the reason is dealt with, or the large bill is right: close this account now')
    .addHelpText(
      'after',
      `
Examples:
  turnpike close-month 2026-06
  turnpike close-month 2026-06 --parked
  turnpike close-month 2026-06 --release 123456789012`,
    )
    .action(async (month: Month, options: { parked?: true; release?: string }, command: Command) => {
      const { parked, release } = options
      if (parked === true && release !== undefined) {
        throw new Fault('InvalidParameter', '--parked only looks and --release closes; give one of them.')
      }
      await withHouse(command, async (house, json) => {
        if (parked === true) await printParked(house, month, json)
        else if (release !== undefined) {
          const closed = await releaseParked(house.database, { month, accountId: release })
          print(json, closed, () => sentenceOf(closed))
        } else await close(house, month, json)
      })
    })
}

async function printParked({ database }: House, month: Month, json: boolean): Promise<void> {
  const parked = await database.read((tx) => listParked(tx, { month }))
  const rows = parked.map(({ accountId, reason }) => [accountId, reason])
  print(json, parked, () => table(['account', 'reason'], rows, `No account is parked in the close of ${month}.`))
}

async function close({ database }: House, month: Month, json: boolean): Promise<void> {
  const progress = new Progress()
  try {
    const closed = await closeMonth(database, {
      month,
      report: ({ done, total }) => progress.report(`${month}: ${done} of ${total} accounts closed`),
    })
    progress.end()
    print(json, closed, () => sentenceOf(closed))
  } finally {
    progress.end()
  }
}

function sentenceOf({ month, done, total, parked }: MonthClosed): string {
  const look = ` ${parked} wait for you: turnpike close-month ${month} --parked`
  return `${month} is closed for ${done} of ${total} accounts.${parked === 0 ? '' : look}`
}
