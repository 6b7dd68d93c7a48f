/** The service and the command line as processes of their own: started, killed, started again on the same data folder. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openHouse, type House } from '../src/main.ts'
import { createLog } from '../src/base/telemetry.ts'
import { loadConfig } from '../src/base/config.ts'
import { clusterName } from '../src/database/data-folder.ts'
import { makeScratchFolder } from './scratch-folder.ts'

const command = fileURLToPath(new URL('../src/cli/turnpike.ts', import.meta.url))
const startMsMax = 60_000
const commandMsMax = 60_000

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment without anything that configures Turnpike, and what is given. */
function environment(given: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const ours = (name: string): boolean => /^(TURNPIKE_|DATABASE_URL$|STRIPE_|VITEST)/.test(name)
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours(name))), ...given }
}

/** Starts `turnpike …`. */
export function startCommand(words: readonly string[], given: Readonly<Record<string, string>> = {}): ChildProcess {
  // In a folder without a turnpike.json.
  return spawn(process.execPath, [command, ...words], {
    env: environment(given),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs `turnpike …` to its end, which must come within a minute. */
export async function runCommand(
  words: readonly string[],
  given: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  const child = startCommand(words, given)
  const timer = setTimeout(() => child.kill('SIGKILL'), commandMsMax)
  try {
    return await endingOf(child)
  } finally {
    clearTimeout(timer)
  }
}

/** Collects what a process prints from now on, until it ends. */
export async function endingOf(child: ChildProcess): Promise<Ending> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, stdout, stderr }
}

export interface ServiceProcess {
  readonly url: string
  readonly pid: number
  /** Resolves when it has ended. */
  readonly ended: Promise<Ending>
  /** The lines of its log so far, JSON. */
  readonly log: readonly string[]
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ending>
}

/** A data folder that a service is started on, again and again; everything still running is ended when it is removed. */
export class DataFolder {
  readonly path: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #running = new Set<ChildProcess>()

  /** @param given variables of every start, such as `TURNPIKE_CLOCK_START` */
  constructor(given: Readonly<Record<string, string>> = {}) {
    this.path = join(makeScratchFolder('turnpike-story-'), 'data')
    this.#environment = given
  }

  /** Starts `turnpike serve` with a manual clock on a free port, and waits until it is ready. */
  async serve(words: readonly string[] = []): Promise<ServiceProcess> {
    const all = ['serve', '--data-folder', this.path, '--port', '0', '--clock', 'manual', ...words]
    const child = startCommand(all, this.#environment)
    this.#running.add(child)
    const log: string[] = []
    if (child.stdout === null || child.stderr === null || child.pid === undefined) throw new Error('it did not start')
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line))
    const ended = endingOf(child)
    void ended.then(() => this.#running.delete(child))
    const url = await readyUrl(child, ended)
    return {
      url,
      pid: child.pid,
      ended,
      log,
      end: (signal) => {
        child.kill(signal)
        return ended
      },
    }
  }

  /** The database and verbs of an operator's command, beside the running service. */
  async beside(): Promise<House> {
    const config = loadConfig({ dataFolder: this.path, clock: 'manual' }, { ...this.#environment })
    return await openHouse(config, createLog('silent'))
  }

  /** The postmaster of the folder, as it was told last. */
  get postgresPid(): number | undefined {
    try {
      const [first = ''] = readFileSync(join(this.path, clusterName, 'postmaster.pid'), 'utf8').split('\n')
      return Number(first)
    } catch {
      return undefined
    }
  }

  /** Ends what still runs and removes the folder. */
  async remove(): Promise<void> {
    for (const child of this.#running) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
    // The watcher of a killed service ends its database; a folder in use cannot be removed.
    const pidFile = join(this.path, clusterName, 'postmaster.pid')
    for (let waitedMs = 0; existsSync(pidFile) && waitedMs < 20_000; waitedMs += 20) await pause(20)
    rmSync(dirname(this.path), { recursive: true, force: true })
  }
}

async function readyUrl(child: ChildProcess, ended: Promise<Ending>): Promise<string> {
  const ready = Promise.withResolvers<string>()
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /ready on (http:\S+)/.exec(line)?.[1]
      if (url !== undefined) ready.resolve(url)
    })
  }
  const timer = setTimeout(() => ready.reject(new Error('the service was not ready in time')), startMsMax)
  void ended.then(({ code, signal, stderr }) =>
    ready.reject(new Error(`the service ended (${code ?? String(signal)}) instead of starting: ${stderr}`)),
  )
  try {
    return await ready.promise
  } finally {
    clearTimeout(timer)
  }
}

/** Whether a process runs; one that has ended and that its parent has not seen yet does not. */
export function isRunning(pid: number): boolean {
  try {
    if (process.platform === 'linux') return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
