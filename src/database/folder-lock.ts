/**
 * The lock of a data folder: one process at a time may run PostgreSQL on it. It is a lock of the kernel (SQLite's exclusive
 * lock on a file), so it ends with its process however that ends, and no stale file has to be judged. A file of pid and
 * start time was rejected: it is wrong between containers that share a folder, and two openers that find a stale one race.
 */
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '../base/fault.ts'
import { lockName } from './data-folder.ts'

/** What the holder tells others about itself. Only ever believed after the process it names was seen alive. */
export interface Holder {
  readonly pid: number
  /** Set once PostgreSQL accepts connections. */
  readonly socketFolder?: string
}

export interface FolderLock {
  /** What the holder before us told; left behind only by one that was killed. */
  readonly previous: Holder | undefined
  tell(holder: Holder): void
  release(): void
}

const holderFile = 'holder.json'
const sqliteBusy = 5

/**
 * Takes the lock, or refuses at once.
 *
 * @param folder an existing folder this process may write to
 * @throws Fault InvalidConfiguration naming the process that has it
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, lockName)
  let lock: DatabaseSync
  try {
    lock = new DatabaseSync(path, { timeout: 0 })
  } catch (error) {
    throw unusable(folder, error)
  }
  try {
    // The lock needs no journal on disk: nothing is ever written to the file.
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === sqliteBusy) throw inUse(folder)
    throw unusable(folder, error)
  }
  chmodSync(path, 0o600)
  return {
    previous: readHolder(folder),
    tell: (holder) => {
      const written = join(folder, `${holderFile}.new`)
      writeFileSync(written, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
      renameSync(written, join(folder, holderFile))
    },
    release: () => {
      rmSync(join(folder, holderFile), { force: true })
      lock.close()
    },
  }
}

/** What the holder of a folder told last, if anything. */
export function readHolder(folder: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(folder, holderFile), 'utf8')) as Partial<Holder> | null
    return typeof holder?.pid === 'number' ? (holder as Holder) : undefined
  } catch {
    return undefined
  }
}

function inUse(folder: string): Fault {
  const holder = readHolder(folder)
  const who = holder === undefined ? 'another process' : `the process with pid ${holder.pid}`
  return new Fault(
    'InvalidConfiguration',
    `The data folder ${folder} is in use by ${who}. One Turnpike at a time runs on a data folder: stop that one first, or give this one a folder of its own (--data-folder or TURNPIKE_DATA).`,
    { data: { reason: 'in-use' } },
  )
}

function unusable(folder: string, error: unknown): Fault {
  return new Fault(
    'InvalidConfiguration',
    `The data folder ${folder} cannot be locked: ${(error as Error).message}. It must be on a file system with working locks, and its file "${lockName}" must be ours: choose another folder (--data-folder or TURNPIKE_DATA), or use DATABASE_URL.`,
  )
}
