/** `turnpike migrate`: bring the database to this release's schema, or say how far it is. */
import type { Command } from 'commander'
import { migrationStatus } from '../database/migrate.ts'
import { openDatabase } from '../database/open.ts'
import { print, table } from './output.ts'
import { configure } from './with-house.ts'

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring the database to the schema of this release (serve does this by itself).')
    .addHelpText(
      'after',
      '\nExamples:\n  turnpike migrate\n  DATABASE_URL=postgres://turnpike@db/turnpike turnpike migrate --json',
    )
    .action(async (_options: unknown, command: Command) => {
      const { config, log, json } = configure(command)
      const { database, close } = await openDatabase(config, log, { exclusive: false })
      try {
        const status = await migrationStatus(database.pool)
        print(json, status, () => {
          const rows = status.applied.map(({ name, appliedAt }) => [name, appliedAt.toISOString()])
          return `${table(['migration', 'applied'], rows, 'No migrations.')}\nThe schema is at version ${status.version}, the newest of this release.`
        })
      } finally {
        await close()
      }
    })
}
