/**
 * A database for one bench: the embedded PostgreSQL as the service runs it, durable (fsync), on a data folder on disk that is
 * removed afterwards. Never DATABASE_URL: a bench writes a million rows into what it is given.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Config, type ConfigInput } from '../src/base/config.ts'
import { createLog } from '../src/base/telemetry.ts'
import { openDatabase, type OpenedDatabase } from '../src/database/open.ts'

/** Makes a folder, lends it, and removes it whatever happens. */
export async function withScratchFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The configuration of a bench: the defaults, whatever this machine's environment and files say. */
export function benchConfig(dataFolder: string, given: ConfigInput = {}): Config {
  return loadConfig({ dataFolder, ...given }, {})
}

/** Opens the database of a data folder, and closes it whatever happens. */
export async function withDatabase<T>(
  config: Config,
  exclusive: boolean,
  work: (opened: OpenedDatabase) => Promise<T>,
): Promise<T> {
  const opened = await openDatabase(config, createLog('warn'), { exclusive })
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
