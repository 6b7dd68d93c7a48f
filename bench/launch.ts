/**
 * RunInstances of a paid image over HTTP: what a launch costs beside the least it could cost. The service is a process of
 * its own (`turnpike serve`, as an operator runs it), so is the floor, and this process is the client.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createAccessKey } from '../src/accounts/create-access-key.ts'
import type { Config } from '../src/base/config.ts'
import { sql, type Database } from '../src/database/database.ts'
import { newAccount, newProduct } from '../test/products.ts'
import { newPaidImage, subscribe } from '../test/machines.ts'
import { measure, profileFlags, type Bench, type Measure } from './bench.ts'
import { cpuSeconds, databaseCpuSeconds } from './cpu-time.ts'
import { peakMemoryMib } from './peak-memory.ts'
import { benchConfig, withDatabase, withScratchFolder } from './scratch-database.ts'
import { percentile, sendRequests, type Sent } from './send-requests.ts'
import { LaunchSigner, type Buyer } from './sign-launches.ts'

const command = fileURLToPath(new URL('../src/cli/turnpike.ts', import.meta.url))
const floorProgram = fileURLToPath(new URL('launch-floor.ts', import.meta.url))
/** Service and floor take turns this often, so that a slow moment of the machine falls on both. */
const rounds = 3
const startMsMax = 60_000
const drainMsMax = 600_000

export const launch: Bench = {
  name: 'launch',
  about: 'RunInstances of a paid image over HTTP, against a bare signed route with one insert',
  run: async (options, tell) =>
    await withScratchFolder(async (folder) => {
      const config = benchConfig(join(folder, 'data'))
      tell(`preparing ${options.accounts} buyers with keys and subscriptions`)
      const stage = await withDatabase(config, true, ({ database }) => prepare(database, options.accounts))
      return await withService(config, join(folder, 'service.log'), profileFlags(options), async (service) => {
        return await withFloor(config.dataFolder, stage.buyers, async (floor) => {
          const measures: Measure[] = []
          for (const connections of options.connections) {
            tell(`${connections} connections, ${options.seconds} s each for service and floor, in ${rounds} turns`)
            measures.push(
              ...(await withDatabase(config, false, ({ database }) =>
                compare(database, service, floor, stage, { connections, seconds: options.seconds }),
              )),
            )
          }
          const peak = peakMemoryMib(service.pid)
          measures.push(measure('peak memory', peak, 'MiB', peakMemoryMib(floor.pid)))
          return { bench: 'launch', measures, peak_rss_mib: Math.round(peak) }
        })
      })
    }),
}

interface Stage {
  readonly imageId: string
  readonly buyers: readonly Buyer[]
}

interface Target {
  readonly url: string
  readonly pid: number
}

/** A paid public image, and buyers who are subscribed to its product: all by the real verbs. */
async function prepare(database: Database, accounts: number): Promise<Stage> {
  const { product } = await newProduct(database)
  const image = await newPaidImage(database, product)
  const buyers: Buyer[] = []
  for (let index = 0; index < accounts; index += 1) {
    const accountId = await newAccount(database)
    await subscribe(database, accountId, product)
    const key = await database.transaction((tx) => createAccessKey(tx, { accountId, actor: accountId }))
    buyers.push({ accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey })
  }
  return { imageId: image.imageId, buyers }
}

interface Totals {
  requests: number
  seconds: number
  /** Processor time until the machines were up, of the target and of the database. */
  cpuSeconds: number
  databaseCpuSeconds: number
  latencies: number[]
}

async function compare(
  database: Database,
  service: Target,
  floor: Target,
  stage: Stage,
  of: { connections: number; seconds: number },
): Promise<Measure[]> {
  const totals = { service: newTotals(), floor: newTotals(), bringUpSeconds: 0 }
  const window = { connections: of.connections, seconds: of.seconds / rounds }
  const rates = { service: await warmUp(service, stage, window), floor: await warmUp(floor, stage, window) }
  await drain(database)
  for (let round = 0; round < rounds; round += 1) {
    for (const name of ['service', 'floor'] as const) {
      const target = { service, floor }[name]
      // Twice as many as the warm-up says are needed.
      const requests = await new LaunchSigner(target.url, stage.imageId, stage.buyers).sign(
        Math.ceil(rates[name] * window.seconds * 2) + 4 * of.connections,
      )
      const { dataFolder } = database.config
      const [cpuBefore, databaseCpuBefore] = [cpuSeconds(target.pid), databaseCpuSeconds(dataFolder)]
      const startedMs = performance.now()
      add(totals[name], await sendRequests(target.url, requests, window))
      // The machines of a turn come up before the next begins, so that the floor does not share the database with them.
      await drain(database)
      totals[name].cpuSeconds += cpuSeconds(target.pid) - cpuBefore
      totals[name].databaseCpuSeconds += databaseCpuSeconds(dataFolder) - databaseCpuBefore
      if (name === 'service') totals.bringUpSeconds += (performance.now() - startedMs) / 1000
    }
  }
  return measuresOf(totals, of.connections)
}

function measuresOf(
  totals: { service: Totals; floor: Totals; bringUpSeconds: number },
  connections: number,
): Measure[] {
  const at = connections === 1 ? '1 connection' : `${connections} connections`
  const rate = ({ requests, seconds }: Totals): number => requests / seconds
  const latency = (totalsOf: Totals, share: number): number =>
    percentile(
      totalsOf.latencies.toSorted((a, b) => a - b),
      share,
    )
  const cpu = (of: Totals): number => (of.cpuSeconds / of.requests) * 1e6
  const databaseCpu = (of: Totals): number => (of.databaseCpuSeconds / of.requests) * 1e6
  const { service, floor } = totals
  return [
    measure(`launches, ${at}`, rate(service), '1/s', rate(floor)),
    measure(`latency p50, ${at}`, latency(service, 0.5), 'ms', latency(floor, 0.5)),
    measure(`latency p99, ${at}`, latency(service, 0.99), 'ms', latency(floor, 0.99)),
    measure(`processor time a launch, ${at}`, cpu(service), 'µs', cpu(floor)),
    measure(`of PostgreSQL, ${at}`, databaseCpu(service), 'µs', databaseCpu(floor)),
    measure(`launched until running, ${at}`, service.requests / totals.bringUpSeconds, '1/s'),
  ]
}

function newTotals(): Totals {
  return { requests: 0, seconds: 0, cpuSeconds: 0, databaseCpuSeconds: 0, latencies: [] }
}

function add(totals: Totals, sent: Sent): void {
  totals.requests += sent.requests
  totals.seconds += sent.seconds
  for (const latency of sent.latencies) totals.latencies.push(latency)
}

/** @returns requests a second, to know how many to sign */
async function warmUp(target: Target, stage: Stage, of: { connections: number; seconds: number }): Promise<number> {
  const requests = await new LaunchSigner(target.url, stage.imageId, stage.buyers).sign(
    Math.ceil(4000 * Math.min(of.seconds, 1)) + 4 * of.connections,
  )
  const sent = await sendRequests(target.url, requests, of)
  return sent.requests / sent.seconds
}

/** Waits until every launched instance is running. */
async function drain(database: Database): Promise<void> {
  const giveUpAt = performance.now() + drainMsMax
  for (;;) {
    const { waiting } = await database.read((tx) =>
      tx.one<{ waiting: boolean }>(sql`select exists (select from graphile_worker.jobs) as waiting`),
    )
    if (!waiting) return
    if (performance.now() > giveUpAt) throw new Error(`instances are not running after ${drainMsMax / 1000} s`)
    await delay(20)
  }
}

async function withService<T>(
  config: Config,
  logFile: string,
  flags: readonly string[],
  work: (service: Target) => Promise<T>,
): Promise<T> {
  const log = openSync(logFile, 'w')
  const words = [...flags, command, 'serve', '--data-folder', config.dataFolder, '--port', '0']
  const service = spawn(process.execPath, words, {
    // In a folder without a turnpike.json; the limit is a guard against a slip, and 10,000 launches are none here.
    cwd: '/',
    env: { TURNPIKE_INSTANCES_PER_ACCOUNT_MAX: '10000000' },
    stdio: ['ignore', 'pipe', log],
  })
  const failed = (): Error => new Error(`the service ended instead of starting:\n${readFileSync(logFile, 'utf8')}`)
  try {
    const url = await firstAnswer(service, failed, (settle) => {
      service.stdout?.on('data', (text: Buffer) => settle(/ready on (http:\S+)/.exec(text.toString())?.[1]))
    })
    return await work({ url, pid: service.pid ?? 0 })
  } finally {
    await end(service)
    closeSync(log)
  }
}

async function withFloor<T>(
  dataFolder: string,
  buyers: readonly Buyer[],
  work: (floor: Target) => Promise<T>,
): Promise<T> {
  const floor = fork(floorProgram, { execArgv: [] })
  try {
    const url = await firstAnswer(
      floor,
      () => new Error('the floor ended instead of starting'),
      (settle) => {
        floor.on('message', (message) => settle((message as { url: string }).url))
        floor.send({ dataFolder, buyers })
      },
    )
    return await work({ url, pid: floor.pid ?? 0 })
  } finally {
    await end(floor)
  }
}

async function firstAnswer(
  child: ChildProcess,
  failed: () => Error,
  listen: (settle: (url: string | undefined) => void) => void,
): Promise<string> {
  const answer = Promise.withResolvers<string>()
  const timer = setTimeout(() => answer.reject(failed()), startMsMax)
  const ended = (): void => answer.reject(failed())
  child.once('exit', ended)
  listen((url) => url !== undefined && answer.resolve(url))
  try {
    return await answer.promise
  } finally {
    clearTimeout(timer)
    child.off('exit', ended)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
