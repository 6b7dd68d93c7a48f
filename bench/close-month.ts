/** The close of a month: counted, rated, billed and booked, beside the copying of the rows that come of it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Month } from '../src/base/period.ts'
import { monthPeriod } from '../src/base/period.ts'
import type { Database } from '../src/database/database.ts'
import { prove } from '../src/proof/prove.ts'
import { measure, profileFlags, type Bench, type BenchOptions, type BenchReport } from './bench.ts'
import type { CloseMessage, CloseTask } from './close-month-process.ts'
import { databaseCpuSeconds } from './cpu-time.ts'
import { copyFloor } from './copy-floor.ts'
import { closingInstant, generateMonth } from './generate-month.ts'
import { benchConfig, withDatabase, withScratchFolder } from './scratch-database.ts'

const month: Month = '2026-06'
const closeProgram = fileURLToPath(new URL('close-month-process.ts', import.meta.url))

export const closeMonth: Bench = {
  name: 'close-month',
  about: 'the close of a month of many subscriptions, against COPY of the rows it writes',
  run: async (options, tell) =>
    await withScratchFolder(async (folder) => {
      const clockStart = monthPeriod(month).start.toISOString()
      const config = benchConfig(join(folder, 'data'), { clock: 'manual', clockStart })
      return await withDatabase(config, true, ({ database }) => compare(database, folder, options, tell))
    }),
}

async function compare(
  database: Database,
  folder: string,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<BenchReport> {
  const { subscriptions, seed, workers } = options
  const generating = performance.now()
  const everySecond = atMostEverySecond(tell)
  const report = (done: number): void => everySecond(`generated ${done} of ${subscriptions} subscriptions`)
  const made = await generateMonth(database, { month, subscriptions, seed, report })
  const generated = secondsSince(generating)
  tell(
    `${made.subscriptions} subscriptions of ${made.accounts} buyers with ${made.runs} runs, in ${generated.toFixed(1)} s`,
  )

  await database.pool.query('update clock set now = $1', [closingInstant(month)])
  await database.pool.query('checkpoint')
  const task = { dataFolder: database.config.dataFolder, month, workers }
  const cpuBefore = databaseCpuSeconds(task.dataFolder)
  const closed = await closeInProcess(task, profileFlags(options), everySecond)
  const databaseCpu = databaseCpuSeconds(task.dataFolder) - cpuBefore
  if (closed.parked > 0 || closed.accounts !== made.accounts) {
    throw new Error(`${closed.accounts} of ${made.accounts} accounts are closed, ${closed.parked} are parked`)
  }
  tell(`closed in ${closed.seconds.toFixed(1)} s; copying what it wrote`)
  const floor = await copyFloor(database, { month, connections: workers, folder })

  const proving = performance.now()
  const proof = await prove(database)
  const proven = secondsSince(proving)
  const broken = proof.checks.filter((check) => !check.ok).map(({ name, count }) => `${name} (${count})`)
  if (!proof.ok) throw new Error(`the books are not proven: ${broken.join(', ')}`)
  tell(`proven in ${proven.toFixed(1)} s`)

  const perSubscription = (seconds: number): number => (seconds / made.subscriptions) * 1e6
  return {
    bench: 'close-month',
    measures: [
      measure('subscriptions closed', made.subscriptions / closed.seconds, '1/s', made.subscriptions / floor.seconds),
      measure('time per subscription', perSubscription(closed.seconds), 'µs', perSubscription(floor.seconds)),
      measure('processor time a subscription', perSubscription(closed.cpuSeconds), 'µs'),
      measure('of PostgreSQL', perSubscription(databaseCpu), 'µs', perSubscription(floor.databaseCpuSeconds)),
      measure('rows written', floor.rows / closed.seconds, '1/s', floor.rows / floor.seconds),
      measure('peak memory', closed.peakMemoryMib, 'MiB'),
      measure('subscriptions proven', made.subscriptions / proven, '1/s'),
      measure('subscriptions generated', made.subscriptions / generated, '1/s'),
    ],
    peak_rss_mib: Math.round(closed.peakMemoryMib),
  }
}

type Closed = Extract<CloseMessage, { seconds: number }>

async function closeInProcess(task: CloseTask, flags: string[], tell: (line: string) => void): Promise<Closed> {
  const child = fork(closeProgram, { execArgv: flags })
  const ended = once(child, 'exit')
  let closed: Closed | undefined
  child.on('message', (message) => {
    const told = message as CloseMessage
    if ('seconds' in told) closed = told
    else tell(`closed ${told.done} of ${told.total} accounts`)
  })
  child.send(task)
  await ended
  if (closed === undefined)
    throw new Error(`the close ended (${child.exitCode ?? child.signalCode}) before it was done`)
  return closed
}

function secondsSince(startedMs: number): number {
  return (performance.now() - startedMs) / 1000
}

function atMostEverySecond(tell: (line: string) => void): (line: string) => void {
  let toldMs = performance.now()
  return (line) => {
    if (performance.now() - toldMs < 1000) return
    toldMs = performance.now()
    tell(line)
  }
}
