/** `turnpike demo`: the whole way, acted once on an empty database through the public wires. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { listAccounts } from '../accounts/find-account.ts'
import { Fault } from '../base/fault.ts'
import type { Database } from '../database/database.ts'
import { startService } from '../main.ts'
import { Narrator } from './demo/narrate.ts'
import { toJson } from './output.ts'
import { configure } from './with-house.ts'

/** The day the story begins; with a fixed day its amounts are the same every time. */
const storyStart = '2026-06-03T09:00:00Z'

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('See the whole way once: from a registered product to a paid seller, on an empty database.')
    .option('--exit', 'end when the story is told, instead of leaving the service running')
    .option('--port <port>', 'port of the service, 0 for a free one', '0')
    .addHelpText(
      'after',
      `
The story is acted through the public wires: the EC2 API by the AWS SDK, the order pages by their forms, the rest by the
REST API. The clock is manual and begins on ${storyStart.slice(0, 10)}; the payment processor is the built-in sandbox.

Examples:
  turnpike demo
  turnpike demo --exit --json`,
    )
    .action(async (options: { exit?: boolean; port: string }, command: Command) => {
      const given = command.optsWithGlobals<{ dataFolder?: string }>().dataFolder
      const folder = given ?? (await mkdtemp(join(tmpdir(), 'turnpike-demo-')))
      const { config, log, json } = configure(command, {
        dataFolder: folder,
        port: options.port,
        clock: 'manual',
        clockStart: storyStart,
      })
      // Here, so that no other command loads the AWS SDK: 60 MiB and most of a second.
      const { actStory } = await import('./demo/story.ts')
      const service = await startService(config, log)
      const end = async (): Promise<void> => {
        await service.close()
        if (given === undefined) await rm(folder, { recursive: true, force: true })
      }
      const narrator = new Narrator(json ? 'silent' : 'told')
      try {
        await requireEmpty(service.database)
        const result = await actStory(service, narrator)
        if (json) process.stdout.write(`${toJson(result.summary)}\n`)
        if (!result.summary.proof.ok) process.exitCode = 1
        if (options.exit !== true) {
          narrator.tellWhatToTry(service, result)
          await stopped()
        }
      } finally {
        await end()
      }
    })
}

/** The story is told once: its people have accounts afterwards. */
async function requireEmpty(database: Database): Promise<void> {
  const [account] = await database.read((tx) => listAccounts(tx, { limit: 1 }))
  if (account === undefined) return
  throw new Fault(
    'Conflict',
    'The demo acts on an empty database, and this one has accounts; nothing was done. Leave --data-folder and DATABASE_URL out, or name an empty one.',
  )
}

/** Resolves at Ctrl-C. */
async function stopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined))
  await promise
}
