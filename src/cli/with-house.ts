/** What every command needs: the configuration with the command line's say, a log, and a house that is closed again. */
import type { Command } from 'commander'
import { configKeys, loadConfig, type Config, type ConfigInput } from '../base/config.ts'
import { createLog, type Log } from '../base/telemetry.ts'
import { openHouse, type House } from '../main.ts'

/** Options every command has. */
export interface CommonOptions {
  readonly dataFolder?: string
  readonly json?: boolean
  readonly logLevel?: string
}

/**
 * @param overrides further keys the command line sets
 * @param quietest level used unless one was asked for; commands that print results log warnings only
 */
export function configure(
  command: Command,
  overrides: ConfigInput = {},
  quietest = 'warn',
): { config: Config; log: Log; json: boolean } {
  const options = command.optsWithGlobals<CommonOptions>()
  const config = loadConfig({
    ...(options.dataFolder !== undefined && { dataFolder: options.dataFolder }),
    ...overrides,
  })
  const asked = options.logLevel ?? process.env[configKeys.logLevel.variable]
  const level = asked === undefined ? quietest : loadConfig({ logLevel: asked as Config['logLevel'] }).logLevel
  return { config, log: createLog(level), json: options.json === true }
}

/** Runs an operator command in a house, beside a running service or alone, and closes it whatever happens. */
export async function withHouse(command: Command, work: (house: House, json: boolean) => Promise<void>): Promise<void> {
  const { config, log, json } = configure(command)
  const house = await openHouse(config, log)
  try {
    await work(house, json)
  } finally {
    await house.close()
  }
}
