/** The commands of `turnpike`, their common options, and how refusals are told. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { logLevels } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { addAccountCommands } from './account.ts'
import { addClockCommands } from './clock.ts'
import { addCloseMonthCommand } from './close-month.ts'
import { addConfigCommand } from './config.ts'
import { addDemoCommand } from './demo.ts'
import { addMailCommand } from './mail.ts'
import { addMigrateCommand } from './migrate.ts'
import { printError, toJson } from './output.ts'
import { addProductCommands } from './product.ts'
import { addProveCommand } from './prove.ts'
import { addRateCardCommands } from './rate-card.ts'
import { addServeCommand } from './serve.ts'

const exitFailure = 1
const exitUsage = 2

/**
 * Runs one command line.
 *
 * @returns the exit code: 0 done, 1 refused or failed, 2 the command line was wrong
 */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const asJson = argv.includes('--json')
  const program = createProgram(asJson)
  try {
    await program.parseAsync([...argv])
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage
    printError(error, asJson)
    return error instanceof Fault && error.code === 'MissingParameter' ? exitUsage : exitFailure
  }
}

function createProgram(asJson: boolean): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const program = new Command('turnpike')
    .description('Sell machine images: product codes, metering, billing and payouts for an EC2-compatible cloud.')
    .version(version)
    .option('--data-folder <folder>', 'data folder of the embedded PostgreSQL (TURNPIKE_DATA; default .turnpike)')
    .option('--json', 'print one JSON value instead of text')
    .addOption(new Option('--log-level <level>', 'least severe level that is logged').choices(logLevels))
    .showHelpAfterError(asJson ? false : '(add --help for the options and examples)')
    .exitOverride()
    .configureOutput({
      // Machines are told of a wrong command line as they are of every other refusal.
      outputError: (text, write) => {
        const message = text
          .replace(/^error: /, '')
          .trim()
          .replaceAll('\n', ' ')
        write(asJson ? `${toJson({ error: { code: 'WrongCommandLine', message } })}\n` : `turnpike: ${message}\n`)
      },
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
Examples:
  turnpike demo                     see the whole way once, on an empty database
  turnpike serve                    run the service on http://127.0.0.1:8080
  turnpike account create --email you@example.org --operator
  turnpike product list
  turnpike close-month 2026-06
  turnpike prove                    check the books

Every key of the configuration, its variable and its meaning: turnpike config`,
    )
  addServeCommand(program)
  addDemoCommand(program)
  addMigrateCommand(program)
  addConfigCommand(program)
  addAccountCommands(program)
  addProductCommands(program)
  addRateCardCommands(program)
  addClockCommands(program)
  addCloseMonthCommand(program)
  addProveCommand(program)
  addMailCommand(program)
  return program
}
