/** `turnpike config`: every key, its variable, and what it is set to. */
import type { Command } from 'commander'
import { configKeys, type Config } from '../base/config.ts'
import { formatMinor } from '../base/money.ts'
import { print } from './output.ts'
import { configure } from './with-house.ts'

export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('Print every key of the configuration with its variable, its meaning and its present value.')
    .addHelpText('after', '\nExamples:\n  turnpike config\n  TURNPIKE_PORT=9000 turnpike config --json')
    .action((_options: unknown, command: Command) => {
      const { config, json } = configure(command)
      const keys = Object.entries(configKeys).map(([key, { variable, about, ...rest }]) => {
        const value = config[key as keyof typeof config]
        const shown = value === undefined ? null : 'secret' in rest ? '[set]' : asGiven(value)
        return { key, variable, about, value: shown }
      })
      print(json, keys, () =>
        keys
          .map(
            ({ key, variable, about, value }) =>
              `${variable}  (in the file: ${key})\n    ${about}\n    now: ${value ?? 'not set'}`,
          )
          .join('\n\n'),
      )
    })
}

/** A value as it would be set: amounts and percentages are kept in hundredths. */
function asGiven(value: NonNullable<Config[keyof Config]>): string {
  if (typeof value === 'bigint') return formatMinor(value, 'USD')
  return value instanceof Date ? value.toISOString() : String(value)
}
