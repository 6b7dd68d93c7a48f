/** `npm run bench -- <name>`: runs one bench and prints what it found. */
import { loadavg } from 'node:os'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { describeReport, type Bench, type BenchOptions } from './bench.ts'
import { closeMonth } from './close-month.ts'
import { launch } from './launch.ts'

const benches: readonly Bench[] = [launch, closeMonth]
const exitFailed = 1
const exitUsage = 2

/**
 * @returns the exit code: 0 measured, and every target there is was met; 1 not; 2 the command line was wrong
 */
export async function runBench(argv: readonly string[]): Promise<number> {
  try {
    const program = createProgram()
    await program.parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage
    process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return exitFailed
  }
}

function createProgram(): Command {
  const list = benches.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join('\n')
  return new Command('npm run bench --')
    .description('Measures Turnpike against a floor: the least work that the same outcome needs, in the same run.')
    .argument('[name]', 'the bench to run; without one they are listed')
    .option('--json', 'print one JSON object last: {bench, measures, peak_rss_mib}')
    .option('--connections <list>', 'launch: numbers of connections, such as 1,32', readCounts, [1, 32])
    .option(
      '--seconds <n>',
      'launch: measured time per number of connections, for each of service and floor',
      readCount,
      9,
    )
    .option('--accounts <n>', 'launch: buyers who launch in turn', readCount, 500)
    .option('--subscriptions <n>', 'close-month: subscriptions to bill, up to a million', readCount, 20_000)
    .option('--workers <n>', 'close-month: cohorts at once, and connections of the floor', readCount, 2)
    .option('--cpu-profile <folder>', 'write a CPU profile of the process under test, for the tools of a browser')
    .addOption(new Option('--seed <n>', 'close-month: of the generated month').argParser(readCount).default(1))
    .addHelpText(
      'after',
      `\nBenches:\n${list}\n\nExamples:\n  npm run bench -- launch\n  npm run bench -- close-month --subscriptions 100000 --json`,
    )
    .showHelpAfterError('(add --help for benches and options)')
    .exitOverride()
    .action(async (name: string | undefined, options: BenchOptions & { json?: boolean }, command: Command) => {
      if (name === undefined) return void process.stdout.write(`${list}\n`)
      const bench = benches.find((one) => one.name === name)
      if (bench === undefined) {
        return command.error(`There is no bench "${name}"; there are ${benches.map((one) => one.name).join(', ')}.`)
      }
      await run(bench, options, options.json === true)
    })
}

async function run(bench: Bench, options: BenchOptions, json: boolean): Promise<void> {
  const tell = (line: string): void => void process.stderr.write(`${bench.name}: ${line}\n`)
  tell(`the machine's load is ${loadavg()[0]?.toFixed(2)}; other work on it shows in the figures`)
  const report = await bench.run(options, tell)
  process.stdout.write(`${json ? JSON.stringify(report) : describeReport(report)}\n`)
  if (report.measures.some(({ ok }) => ok === false)) process.exitCode = exitFailed
}

function readCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new InvalidArgumentError('expected a whole number from 1')
}

function readCounts(text: string): number[] {
  return text.split(',').map(readCount)
}

if (import.meta.main) process.exitCode = await runBench(process.argv.slice(2))
