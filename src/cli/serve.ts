/** `turnpike serve`: the service, until it is told to stop. */
import { Option, type Command } from 'commander'
import { hasOperator } from '../accounts/find-account.ts'
import type { ConfigInput } from '../base/config.ts'
import { startService } from '../main.ts'
import { readPort } from './read-arguments.ts'
import { configure } from './with-house.ts'

/** A second signal, or this long after the first, ends what does not end by itself. */
const patienceMs = 20_000

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Run the service: EC2 endpoint, pages, REST API, worker.')
    .option('--host <address>', 'address to listen on (TURNPIKE_HOST; default 127.0.0.1)')
    .option('--port <port>', 'port to listen on, 0 for a free one (TURNPIKE_PORT; default 8080)', readPort)
    .addOption(
      new Option(
        '--clock <kind>',
        'system, or manual: stands still until "turnpike clock advance" (TURNPIKE_CLOCK)',
      ).choices(['system', 'manual']),
    )
    .option('--public-url <url>', 'address buyers and sellers use (TURNPIKE_PUBLIC_URL)')
    .addHelpText(
      'after',
      `
Examples:
  turnpike serve
  turnpike serve --port 0 --clock manual --data-folder ./try
  DATABASE_URL=postgres://turnpike@db/turnpike TURNPIKE_MASTER_KEY=… turnpike serve --host 0.0.0.0`,
    )
    .action(async (_options: unknown, command: Command) => {
      const options = command.opts<{ host?: string; port?: number; clock?: ConfigInput['clock']; publicUrl?: string }>()
      const { config, log } = configure(
        command,
        {
          ...(options.host !== undefined && { host: options.host }),
          ...(options.port !== undefined && { port: options.port }),
          ...(options.clock !== undefined && { clock: options.clock }),
          ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
        },
        false,
      )
      const ended = Promise.withResolvers<string>()
      const service = await startService(config, log, (reason) => {
        log.fatal({ err: reason }, 'the database is gone; the service ends')
        process.exitCode = 1
        ended.resolve('database lost')
      })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.resolve(signal))
      process.stdout.write(`Turnpike is ready on ${service.url} (clock: ${config.clock}). Stop it with Ctrl-C.\n`)
      if (!(await service.database.read(hasOperator))) process.stdout.write(firstOperator(command))
      log.info({ signal: await ended.promise }, 'stopping')
      setTimeout(() => process.exit(1), patienceMs).unref()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
      await service.close()
      log.info('stopped')
    })
}

/** What to type, in another terminal, before anything can be approved. */
function firstOperator(command: Command): string {
  const { dataFolder } = command.optsWithGlobals<{ dataFolder?: string }>()
  const folder = dataFolder === undefined ? '' : ` --data-folder ${JSON.stringify(dataFolder)}`
  return `There is no operator yet. Make one, in another terminal: turnpike account create --email you@example.org --operator${folder}\n`
}
