/**
 * The PostgreSQL that comes with Turnpike: a real server on a data folder, reached by a unix socket only its user can open.
 * It lives as long as the service: started again when it dies, ended when the service ends, however that ends.
 */
import { spawn } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, rmdirSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import pg from 'pg'
import { Fault } from '../base/fault.ts'
import type { Log } from '../base/telemetry.ts'
import {
  chooseOwner,
  clusterName,
  giveTo,
  inspectCluster,
  nobody,
  runsAsRoot,
  unfinishedClusterName,
  useDataFolder,
  type Owner,
} from './data-folder.ts'
import { lockFolder, readHolder, type FolderLock } from './folder-lock.ts'
import { connectionOptions, type DatabaseAddress } from './pool.ts'
import { cleanEnvironment, prepareBinaries, type Binaries } from './postgres-binaries.ts'
import { clusterArgument, endLeftovers, startServer, type Server, type ServerOptions } from './postgres-server.ts'

const socketName = '.s.PGSQL.5432'
/** The kernel takes 107 bytes (103 on macOS). */
const socketPathBytesMax = 103
const socketFolderPrefix = 'turnpike-'
const user = 'turnpike'
const databaseName = 'turnpike'

/** Deaths in a row after which it is not started again: something is wrong that starting does not mend. */
const restartsMax = 5
/** A server that lived this long starts the count anew. */
const steadyMs = 60_000

export interface EmbeddedOptions {
  readonly dataFolder: string
  readonly log: Log
  /** Gives up durability for speed. For tests only. */
  readonly fast?: boolean
  /** The programs, when the caller has made them ready already. */
  readonly binaries?: Binaries
}

export interface EmbeddedPostgres {
  readonly address: DatabaseAddress
  /** Of the postmaster; another one after it died and was started again. */
  readonly pid: number
  /** Ends it and frees the data folder. May be called again. */
  stop(): Promise<void>
  /** Called when it is gone for good though nobody stopped it. */
  onExit(callback: (reason: Error) => void): void
}

/**
 * Starts PostgreSQL on a data folder; makes the database there at first.
 *
 * @throws Fault InvalidConfiguration when the folder is in use, is no data folder, is of another version, or PostgreSQL
 *   cannot be run here
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, fast = false } = options
  const dataFolder = useDataFolder(options.dataFolder)
  const lock = lockFolder(dataFolder)
  try {
    lock.tell({ pid: process.pid })
    const owner = chooseOwner(dataFolder)
    const binaries = options.binaries ?? prepareBinaries(runsAsRoot() ? nobody() : undefined)
    const cluster = join(dataFolder, clusterName)
    removeSocketFolder(lock.previous?.socketFolder)
    if (inspectCluster(dataFolder, binaries.major)) await endLeftovers(cluster, log)
    else await makeCluster(dataFolder, binaries, owner, fast)
    if (owner !== undefined && statSync(cluster).uid !== owner.uid) giveTo(owner, cluster)

    const socketFolder = chooseSocketFolder(cluster, owner)
    const address = { socketFolder, user, database: databaseName }
    const server: ServerOptions = {
      postgres: binaries.postgres,
      cluster,
      socketFolder: socketFolder === cluster ? '.' : socketFolder,
      owner,
      fast,
      log,
    }
    return await supervise(server, address, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

/**
 * The address of the PostgreSQL of a service that runs on the folder now, for commands that work beside it.
 *
 * @returns undefined when none runs
 */
export async function attachEmbedded(dataFolder: string): Promise<DatabaseAddress | undefined> {
  const holder = readHolder(resolve(dataFolder))
  if (holder?.socketFolder === undefined || !isAlive(holder.pid)) return undefined
  const { socketFolder } = holder
  const failure = await new Promise<string | undefined>((settle) => {
    const socket = createConnection(join(socketFolder, socketName))
    socket.once('connect', () => {
      socket.destroy()
      settle(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message))
  })
  if (failure === undefined) return { socketFolder, user, database: databaseName }
  if (failure !== 'EACCES') return undefined
  throw new Fault(
    'InvalidConfiguration',
    `The service with pid ${holder.pid} runs on the data folder ${resolve(dataFolder)}, and its database is closed to uid ${process.getuid?.() ?? 'unknown'}: run this command as the user the service runs as.`,
  )
}

/** Keeps a server running until it is stopped; the address stays the same over restarts, so that pools simply reconnect. */
async function supervise(
  options: ServerOptions,
  address: DatabaseAddress,
  lock: FolderLock,
): Promise<EmbeddedPostgres> {
  const { log, cluster } = options
  const callbacks: ((reason: Error) => void)[] = []
  let stopping: Promise<void> | undefined
  let restarts = 0
  let startedAtMs = performance.now()
  let server = await startServer(options)
  let restarting: Promise<void> = Promise.resolve()

  const restart = async (): Promise<void> => {
    if (performance.now() - startedAtMs > steadyMs) restarts = 0
    restarts += 1
    try {
      if (restarts > restartsMax) throw new Error(`PostgreSQL died ${restarts} times in a row`)
      log.error({ pid: server.pid }, 'PostgreSQL died; it is started again')
      await endLeftovers(cluster, log)
      startedAtMs = performance.now()
      server = await startServer(options)
      watch(server)
    } catch (error) {
      log.fatal({ err: error }, 'PostgreSQL is gone and cannot be started again')
      for (const callback of callbacks) callback(error as Error)
    }
  }
  const watch = (watched: Server): void => {
    void watched.exited.then(() => {
      if (stopping === undefined) restarting = restart()
    })
  }
  const stop = async (): Promise<void> => {
    await restarting
    await server.stop()
    if (address.socketFolder !== cluster) removeSocketFolder(address.socketFolder)
    lock.release()
  }

  try {
    await ensureDatabase(address)
  } catch (error) {
    await server.stop()
    throw error
  }
  watch(server)
  lock.tell({ pid: process.pid, socketFolder: address.socketFolder ?? cluster })
  return {
    address,
    get pid() {
      return server.pid
    },
    stop: () => (stopping ??= stop()),
    onExit: (callback) => void callbacks.push(callback),
  }
}

/** Makes a cluster beside its place and renames it into it, so that one that exists is whole. */
async function makeCluster(
  dataFolder: string,
  binaries: Binaries,
  owner: Owner | undefined,
  fast: boolean,
): Promise<void> {
  const unfinished = join(dataFolder, unfinishedClusterName)
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  // initdb insists on a user with a name; the owner of a folder mounted into a container often has none.
  const maker = owner === undefined ? undefined : nobody()
  if (maker !== undefined) chownSync(unfinished, maker.uid, maker.gid)
  const settings = ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = [`--username=${user}`, '--auth-local=trust', '--auth-host=reject']
  const speed = fast ? ['--no-sync'] : []
  const { code, output } = await run(
    binaries.initdb,
    ['-D', clusterArgument(unfinished), ...settings, ...access, ...speed, '--no-instructions'],
    unfinished,
    maker,
  )
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true })
    throw new Fault('InvalidConfiguration', initdbFailure(dataFolder, output))
  }
  if (owner !== undefined) giveTo(owner, unfinished)
  renameSync(unfinished, join(dataFolder, clusterName))
}

function initdbFailure(dataFolder: string, output: string): string {
  const uid = process.getuid?.() ?? 'unknown'
  if (/could not look up|does not exist/.test(output) && /user/.test(output)) {
    return `The database in ${dataFolder} cannot be made: uid ${uid} has no name on this system (in /etc/passwd) and PostgreSQL asks for one. Add a line for it to /etc/passwd, run Turnpike as another user or as root, or use DATABASE_URL.`
  }
  return `The database in ${dataFolder} cannot be made. PostgreSQL said:\n${output.trim()}\nMend that, choose another folder (--data-folder or TURNPIKE_DATA), or use DATABASE_URL.`
}

async function run(
  program: string,
  words: string[],
  folder: string,
  runner: Owner | undefined,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, words, {
    ...runner,
    cwd: folder,
    env: cleanEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return await new Promise((settle, fail) => {
    child.once('error', fail)
    child.once('close', (code) => settle({ code, output }))
  })
}

/** The socket lies in the cluster, which is closed to others; in a private folder when that path is too long for one. */
function chooseSocketFolder(cluster: string, owner: Owner | undefined): string {
  const fits = (folder: string): boolean => Buffer.byteLength(join(folder, socketName)) <= socketPathBytesMax
  if (fits(cluster)) return cluster
  const parent = fits(join(tmpdir(), `${socketFolderPrefix}XXXXXX`)) ? tmpdir() : '/tmp'
  const folder = mkdtempSync(join(parent, socketFolderPrefix))
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  return folder
}

/** Removes a private socket folder of ours, and nothing but a socket in it. */
function removeSocketFolder(folder: string | undefined): void {
  if (folder === undefined || !basename(folder).startsWith(socketFolderPrefix)) return
  for (const name of [socketName, `${socketName}.lock`]) rmSync(join(folder, name), { force: true })
  try {
    rmdirSync(folder)
  } catch {
    // Gone already, or it holds something else and stays.
  }
}

async function ensureDatabase(address: DatabaseAddress): Promise<void> {
  const client = new pg.Client(connectionOptions({ ...address, database: 'postgres' }))
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [databaseName])
    if (found.rowCount === 0) await client.query(`create database ${databaseName}`)
  } finally {
    await client.end()
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
