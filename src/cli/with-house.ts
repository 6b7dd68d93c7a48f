/** What every command needs: the configuration with the command line's say, a log, and a house that is closed again. */
import type { Command } from 'commander'
import { configKeys, loadConfig, type Config, type ConfigInput } from '../base/config.ts'
import { createLog, type Log } from '../base/telemetry.ts'
import { openHouse, type House } from '../main.ts'
import { Progress } from './output.ts'

/** Options every command has. */
export interface CommonOptions {
  readonly dataFolder?: string
  readonly json?: boolean
  readonly logLevel?: ConfigInput['logLevel']
}

/**
 * @param overrides further keys the command line sets
 * @param quiet commands that print results log warnings only, unless a level is asked for; a service logs as configured
 */
export function configure(
  command: Command,
  overrides: ConfigInput = {},
  quiet = true,
): { config: Config; log: Log; json: boolean } {
  const { dataFolder, logLevel, json } = command.optsWithGlobals<CommonOptions>()
  const config = loadConfig({
    ...(dataFolder !== undefined && { dataFolder }),
    ...(logLevel !== undefined && { logLevel }),
    ...overrides,
  })
  const asked = logLevel ?? process.env[configKeys.logLevel.variable] ?? ''
  return { config, log: createLog(quiet && asked === '' ? 'warn' : config.logLevel), json: json === true }
}

/** Runs an operator command in a house, beside a running service or alone, and closes it whatever happens. */
export async function withHouse(command: Command, work: (house: House, json: boolean) => Promise<void>): Promise<void> {
  const { config, log, json } = configure(command)
  const progress = new Progress()
  progress.wait('Opening the database…')
  const house = await openHouse(config, log).finally(() => progress.end())
  try {
    await work(house, json)
  } finally {
    await house.close()
  }
}
