/** One run of the postgres program on a cluster, from its start to its end, whoever ends it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../base/fault.ts'
import type { Log } from '../base/telemetry.ts'
import type { Owner } from './data-folder.ts'
import { cleanEnvironment } from './postgres-binaries.ts'

/** Recovery after a crash reads the log of all writes since the last checkpoint; minutes on a slow disk. */
const readyMsMax = 10 * 60_000
const fastShutdownMsMax = 15_000
const immediateShutdownMsMax = 5_000
const pollMs = 10

export interface ServerOptions {
  readonly postgres: string
  readonly cluster: string
  /** Absolute, or '.' for the cluster's own folder. */
  readonly socketFolder: string
  readonly owner: Owner | undefined
  readonly fast: boolean
  readonly log: Log
}

export interface Server {
  readonly pid: number
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>
  /** Ends it: sessions are ended and the last checkpoint written; after a bound it is ended without that. */
  stop(): Promise<void>
}

/**
 * How the cluster is named to PostgreSQL, which is always started inside it. On Linux by the kernel's own link to the
 * working folder: it leads there even when the folders above are closed to PostgreSQL's user, as root's home is.
 */
export function clusterArgument(cluster: string): string {
  return process.platform === 'linux' ? '/proc/self/cwd' : cluster
}

/**
 * Starts postgres and waits until it accepts connections.
 *
 * @throws Fault InvalidConfiguration with what it printed when it ends instead
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const child = spawn(options.postgres, serverArguments(options), {
    ...options.owner,
    cwd: options.cluster,
    env: cleanEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C in a terminal reaches the whole group; the service must finish its work before its database goes.
    detached: true,
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const printed = relayLog(child, options.log)
  if (child.pid === undefined) {
    await exited
    throw new Fault('InvalidConfiguration', `PostgreSQL could not be started: ${options.postgres} cannot be run.`)
  }
  const watcher = watchOver(child.pid, options.owner)
  void exited.then(() => watcher.kill('SIGKILL'))
  const server: Server = { pid: child.pid, exited, stop: () => stopChild(child, exited) }
  if (await becomesReady(options.cluster, child)) return server
  await server.stop()
  throw new Fault(
    'InvalidConfiguration',
    `PostgreSQL does not start on ${options.cluster}. It said:\n${printed.join('\n')}\nMend that and start again; the data is left as it was.`,
  )
}

function serverArguments(options: ServerOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: options.socketFolder,
    unix_socket_permissions: '0700',
    max_connections: options.fast ? '300' : '200',
    log_destination: 'stderr',
    logging_collector: 'off',
    // Errors of statements reach their caller; in the log they would repeat the values of rows.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_line_prefix: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Of a solid-state disk, or of memory. At the default of 4, a prepared statement planned while its table was small reads
    // all of it until autovacuum has counted the table anew.
    random_page_cost: '1.1',
  }
  if (options.fast) {
    const unsafe = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }
    Object.assign(settings, unsafe, { max_wal_size: '4GB' })
  }
  return [
    '-D',
    clusterArgument(options.cluster),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ]
}

/** Hands PostgreSQL's lines to our log; keeps the last for the message when it does not start. */
function relayLog(child: ChildProcess, log: Log): string[] {
  const kept: string[] = []
  if (child.stderr === null) return kept
  createInterface({ input: child.stderr }).on('line', (line) => {
    kept.push(line)
    if (kept.length > 20) kept.shift()
    const level = /^(PANIC|FATAL):/.test(line) ? 'warn' : 'debug'
    log[level]({ source: 'postgres' }, line)
  })
  return kept
}

/**
 * A shell that stops PostgreSQL when we are gone without having done so: it reads a pipe that only we hold open.
 * Without it a killed service would leave its database running.
 */
function watchOver(pid: number, owner: Owner | undefined): ChildProcess {
  const script = 'while read -r line; do :; done; kill -INT "$1"'
  const watcher = spawn('/bin/sh', ['-c', script, 'turnpike-watcher', String(pid)], {
    ...owner,
    cwd: '/',
    env: cleanEnvironment,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // A watcher that is missing or was killed loses only its service: the next start ends a leftover PostgreSQL itself.
  watcher.on('error', () => undefined)
  watcher.stdin?.on('error', () => undefined)
  return watcher
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGINT', fastShutdownMsMax],
    ['SIGQUIT', immediateShutdownMsMax],
    ['SIGKILL', immediateShutdownMsMax],
  ]
  for (const [signal, boundMs] of steps) {
    if (!isRunning(child)) return
    child.kill(signal)
    if (await within(exited, boundMs)) return
  }
  throw new Error(`PostgreSQL (pid ${child.pid}) does not end`)
}

/** Whether a promise resolves in time. */
async function within(promise: Promise<void>, boundMs: number): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(boundMs, false, { signal: timer.signal }).catch(() => false)
  const result = await Promise.race([promise.then(() => true), late])
  timer.abort()
  return result
}

/** PostgreSQL says in the eighth line of its pid file that it accepts connections. */
async function becomesReady(cluster: string, child: ChildProcess): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < readyMsMax && isRunning(child); waitedMs += pollMs) {
    const lines = pidFileLines(cluster)
    if (lines[0] === String(child.pid) && lines[7] === 'ready') return true
    await delay(pollMs)
  }
  return false
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

function pidFileLines(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8')
      .split('\n')
      .map((line) => line.trim())
  } catch {
    return []
  }
}

/**
 * Ends what an earlier run left on a cluster whose lock we hold: a postmaster whose service was killed, or sessions whose
 * postmaster was killed. Two postmasters on one cluster would destroy it.
 */
export async function endLeftovers(cluster: string, log: Log): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGINT', fastShutdownMsMax],
    ['SIGQUIT', immediateShutdownMsMax],
    ['SIGKILL', immediateShutdownMsMax],
  ]
  let left = leftovers(cluster)
  if (left.length > 0) log.warn({ pids: left }, 'PostgreSQL of an earlier run is still there; it is ended first')
  for (const [signal, boundMs] of steps) {
    for (const pid of left) sendSignal(pid, signal)
    for (let waitedMs = 0; waitedMs < boundMs && left.length > 0; waitedMs += pollMs) {
      await delay(pollMs)
      left = leftovers(cluster)
    }
    if (left.length === 0) break
  }
  if (left.length > 0) throw new Error(`PostgreSQL of an earlier run (pid ${left.join(', ')}) does not end`)
  // Its number may be another process's by now, which PostgreSQL would take for itself. Nothing of it runs any more.
  if (process.platform === 'linux') rmSync(join(cluster, 'postmaster.pid'), { force: true })
}

/** On Linux every process of PostgreSQL works inside its cluster; elsewhere the pid file names the first of them. */
function leftovers(cluster: string): number[] {
  if (process.platform !== 'linux') {
    const pid = Number(pidFileLines(cluster)[0])
    return pid > 1 && existsSync(join(cluster, 'postmaster.pid')) && sendSignal(pid, 0) ? [pid] : []
  }
  const folder = realpathSync(cluster)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return (
          readlinkSync(`/proc/${name}/cwd`) === folder && basename(readlinkSync(`/proc/${name}/exe`)) === 'postgres'
        )
      } catch {
        return false
      }
    })
    .map(Number)
}

/** @returns whether there is such a process of ours */
function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
