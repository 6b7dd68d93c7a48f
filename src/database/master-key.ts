/** The key all secrets at rest are sealed with: configured, or a file in the data folder that only its owner can read. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { useDataFolder } from './data-folder.ts'

const keyBytes = 32
const keyFile = 'master.key'

/** Where the key is kept when none is configured. */
export function masterKeyPath({ dataFolder }: Pick<Config, 'dataFolder'>): string {
  return join(resolve(dataFolder), keyFile)
}

/**
 * @returns the 32 bytes
 * @throws Fault InvalidConfiguration when none is configured for a database of the operator's own, or the key file holds
 *   no key or can be read by others
 */
export function loadMasterKey(config: Pick<Config, 'masterKey' | 'databaseUrl' | 'dataFolder'>): Buffer {
  if (config.masterKey !== undefined) return Buffer.from(config.masterKey, 'base64')
  if (config.databaseUrl !== undefined) {
    // A key made on each machine by itself would differ from the one the others sealed with.
    throw new Fault(
      'InvalidConfiguration',
      'DATABASE_URL is set and no master key is: every Turnpike on one database needs the same key. Make one with "openssl rand -base64 32", keep it safe apart from the database, and set it as TURNPIKE_MASTER_KEY for all of them.',
    )
  }
  useDataFolder(config.dataFolder)
  const path = masterKeyPath(config)
  return readKeyFile(path) ?? makeKeyFile(path)
}

function readKeyFile(path: string): Buffer | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  const mode = found.mode & 0o777
  if ((mode & 0o077) !== 0) {
    throw new Fault(
      'InvalidConfiguration',
      `The master key ${path} can be read by others (its mode is ${mode.toString(8).padStart(4, '0')}); only its owner may read it. Run "chmod 600 ${path}", and if others have been on this machine, treat what it seals as known to them.`,
    )
  }
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
  if (key.length === keyBytes) return key
  throw new Fault(
    'InvalidConfiguration',
    `The master key ${path} holds ${key.length} bytes instead of ${keyBytes} in base64. Put the right file back from your backup; without it the secrets in the database cannot be opened.`,
  )
}

/** Written whole and durable beside its place, then linked into it: of two who make one at once, both use the first. */
function makeKeyFile(path: string): Buffer {
  const written = `${path}.${process.pid}`
  const file = openSync(written, 'w', 0o600)
  try {
    writeSync(file, `${randomBytes(keyBytes).toString('base64')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(written, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(written, { force: true })
  }
  const key = readKeyFile(path)
  if (key === undefined) throw new Error(`the master key ${path} vanished while it was made`)
  return key
}
