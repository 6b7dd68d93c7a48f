/** The data folder: what may be used as one, and whose it is. */
import {
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Fault } from '../base/fault.ts'

/** The user and group that PostgreSQL runs as. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Folder of the cluster, inside the data folder. */
export const clusterName = 'postgres'
/** A cluster in the making. It is renamed when complete, so one that exists under this name was interrupted. */
export const unfinishedClusterName = 'postgres.new'

/** The file whose lock is the folder's. */
export const lockName = 'lock'

/** By any of these a folder is known as a data folder of Turnpike. */
const ourNames = new Set([clusterName, unfinishedClusterName, lockName, 'holder.json', 'master.key', 'service.json'])
/** What a fresh file system holds by itself. */
const harmlessNames = new Set(['lost+found', '.DS_Store'])

const choices =
  'choose another folder (--data-folder or TURNPIKE_DATA), or use a PostgreSQL of your own with DATABASE_URL'

function refuse(sentence: string): Fault {
  return new Fault('InvalidConfiguration', sentence)
}

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0
}

/**
 * Makes the folder when it is missing, and checks that it is one we may use.
 *
 * @returns its real path
 * @throws Fault InvalidConfiguration when it is no folder, not writable, or full of somebody else's files
 */
export function useDataFolder(dataFolder: string): string {
  const path = resolve(dataFolder)
  try {
    makeFolder(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw refuse(
        `The data folder ${path} is not a folder but a file, or lies in one: remove the file, or ${choices}.`,
      )
    }
    throw refuse(`The data folder ${path} cannot be made (${(error as Error).message}): ${choices}.`)
  }
  const names = attempt(path, () => readdirSync(path))
  const foreign = names.filter((name) => !harmlessNames.has(name))
  if (foreign.length > 0 && !names.some((name) => ourNames.has(name))) {
    throw refuse(
      `The data folder ${path} is not empty and holds nothing of Turnpike (it has ${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ', …' : ''}): a data folder is empty at first. Empty it, or ${choices}.`,
    )
  }
  attempt(path, () => closeSync(openSync(join(path, lockName), 'a', 0o600)))
  return realpathSync(path)
}

/** As `recursive: true`, which never returns where the system refuses every new folder with ENOENT, as in /proc. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** Does something with the folder, and says whose it is when that is not allowed. */
function attempt<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const uid = process.geteuid?.() ?? 'unknown'
    throw refuse(
      `The data folder ${path} cannot be used by uid ${uid}, which Turnpike runs as (${(error as Error).message}); its owner is uid ${statSync(path).uid}. Run Turnpike as its owner, change its owner, or ${choices}.`,
    )
  }
}

/**
 * Looks at the cluster in a data folder whose lock we hold.
 *
 * @param major the version of PostgreSQL we have, such as 18
 * @returns whether there is one; false means it is to be made
 * @throws Fault InvalidConfiguration when what is there is no cluster of that version, or belongs to another user
 */
export function inspectCluster(dataFolder: string, major: number): boolean {
  const cluster = join(dataFolder, clusterName)
  if (!existsSync(cluster)) return false
  const found = statSync(cluster)
  if (!found.isDirectory()) throw refuse(`${cluster} is not a folder: remove it, or ${choices}.`)
  const uid = process.getuid?.()
  if (uid !== undefined && uid !== 0 && found.uid !== uid) {
    throw refuse(
      `The database in ${cluster} belongs to uid ${found.uid} and Turnpike runs as uid ${uid}: run Turnpike as that user (or as root), change the owner of ${dataFolder} and all in it, or ${choices}.`,
    )
  }
  const names = readdirSync(cluster)
  if (names.length === 0) {
    rmSync(cluster, { recursive: true })
    return false
  }
  if (!names.includes('PG_VERSION')) {
    throw refuse(`The folder ${cluster} is not empty and holds no database: move it away, or ${choices}.`)
  }
  const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  if (version !== String(major)) {
    throw refuse(
      `The database in ${cluster} was made by PostgreSQL ${version}; this Turnpike comes with PostgreSQL ${major} and cannot open it. Run the Turnpike that made it (or PostgreSQL ${version}, with pg_dump to move the data over), or ${choices}.`,
    )
  }
  return true
}

/**
 * Who PostgreSQL is to run as. It refuses to be root, so as root it runs as the owner of the cluster or of the data folder,
 * and when those are root's as `nobody`. No user is made. Whoever wants it apart from other processes of `nobody` gives
 * the data folder an owner of its own.
 *
 * @returns undefined when it simply runs as we do
 */
export function chooseOwner(dataFolder: string): Owner | undefined {
  if (!runsAsRoot()) return undefined
  for (const path of [join(dataFolder, clusterName), dataFolder]) {
    if (!existsSync(path)) continue
    const { uid, gid } = statSync(path)
    if (uid !== 0) return { uid, gid }
  }
  return nobody()
}

/** The user that owns nothing. initdb needs one with a name, PostgreSQL itself does not. */
export function nobody(): Owner {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith('nobody:'))
    const [, , uid, gid] = line?.split(':') ?? []
    if (uid !== undefined && gid !== undefined && Number(uid) !== 0) return { uid: Number(uid), gid: Number(gid) }
  } catch {
    // No such file: the usual number is right on every Linux.
  }
  return { uid: 65_534, gid: 65_534 }
}

/** Gives a folder and everything in it to a user; links are changed themselves, never followed. */
export function giveTo(owner: Owner, folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), owner.uid, owner.gid)
  }
  chownSync(folder, owner.uid, owner.gid)
}
