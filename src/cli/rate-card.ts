/** `turnpike rate-card`: the cloud's own rates. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Fault } from '../base/fault.ts'
import { formatRate } from '../base/money.ts'
import { rateCardInForce } from '../products/find-rate-card.ts'
import { loadRateCard } from '../products/load-rate-card.ts'
import { print, table } from './output.ts'
import { withHouse } from './with-house.ts'

export function addRateCardCommands(program: Command): void {
  const rateCard = program
    .command('rate-card')
    .description('The cloud’s own rates: what sellers owe for what runs.')
    .addHelpText('after', '\nExamples:\n  turnpike rate-card show\n  turnpike rate-card load our-cloud.json')
  rateCard
    .command('load')
    .description('Load a rate card file; a changed file is in force from now on (docs/operating/rate-card.md).')
    .argument('<file>')
    .addHelpText('after', '\nExample:\n  turnpike rate-card load our-cloud.json')
    .action(async (file: string, _options: unknown, command: Command) => {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new Fault('InvalidParameter', `${file} cannot be read: ${(error as Error).message}`)
      })
      await withHouse(command, async ({ database }, json) => {
        const result = await database.transaction((tx) => loadRateCard(tx, text))
        print(json, result, () =>
          result.loaded
            ? `Version ${result.version} is in force from now on.`
            : `Nothing changed: version ${result.version} is this file.`,
        )
      })
    })
  rateCard
    .command('show')
    .description('Print the rates in force.')
    .addHelpText('after', '\nExample:\n  turnpike rate-card show --json')
    .action(async (_options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const card = await database.read((tx) => rateCardInForce(tx, tx.now))
        const rates = [...card.rates].map(([dimension, nano]) => ({ dimension, rate: formatRate(nano) }))
        print(
          json,
          { version: card.version, currency: card.currency, rates },
          () =>
            `Version ${card.version}, ${card.currency}\n${table(
              ['dimension', 'rate'],
              rates.map(({ dimension, rate }) => [dimension, rate]),
              'No rates.',
            )}`,
        )
      })
    })
}
