/** `turnpike mail`: the mailbox inside the service. */
import type { Command } from 'commander'
import { listMails } from '../notices/read-mailbox.ts'
import { print, table } from './output.ts'
import { readLimit } from './read-arguments.ts'
import { withHouse } from './with-house.ts'

export function addMailCommand(program: Command): void {
  program
    .command('mail')
    .description('List the mails the service wrote, newest first.')
    .option('--to <address>', 'to one recipient')
    .option('--limit <n>', 'mails at the most', readLimit, 20)
    .option('--full', 'with their texts')
    .addHelpText('after', '\nExamples:\n  turnpike mail\n  turnpike mail --to you@example.org --full --limit 1')
    .action(async (options: { to?: string; limit: number; full?: boolean }, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const { to: recipient, limit } = options
        const mails = await database.read((tx) =>
          listMails(tx, { limit, ...(recipient !== undefined && { recipient }) }),
        )
        print(json, mails, () =>
          options.full === true
            ? mails
                .map(
                  (mail) =>
                    `To: ${mail.recipient}\nSubject: ${mail.subject}\nDate: ${mail.createdAt.toISOString()}\n\n${mail.textBody}`,
                )
                .join('\n\n────\n\n')
            : table(
                ['at', 'to', 'subject'],
                mails.map((mail) => [mail.createdAt.toISOString().slice(0, 16), mail.recipient, mail.subject]),
                'There are no mails.',
              ),
        )
      })
    })
}
