/** Before the first test file: one PostgreSQL for the whole run, with a migrated database that tests are cloned from. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { createLog, type Log } from '../src/base/telemetry.ts'
import { clusterName } from '../src/database/data-folder.ts'
import { startEmbedded } from '../src/database/embedded.ts'
import { lockFolder, readHolder } from '../src/database/folder-lock.ts'
import { migrate } from '../src/database/migrate.ts'
import { createPool, endPool } from '../src/database/pool.ts'
import { endLeftovers } from '../src/database/postgres-server.ts'
import { makeScratchFolder, scratchParent } from './scratch-folder.ts'

declare module 'vitest' {
  interface ProvidedContext {
    testSocketFolder: string
  }
}

export const templateName = 'turnpike_template'
const folderPrefix = 'turnpike-test-'

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const log = createLog('error')
  await removeLeftovers(log)
  const dataFolder = makeScratchFolder(folderPrefix)
  const embedded = await startEmbedded({ dataFolder, log, fast: true })
  const tearDown = async (): Promise<void> => {
    await embedded.stop()
    rmSync(dataFolder, { recursive: true, force: true })
  }
  try {
    const admin = createPool(embedded.address, log, 1)
    await admin.query(`create database ${templateName}`)
    await endPool(admin)
    const pool = createPool({ ...embedded.address, database: templateName }, log, 2)
    await migrate(pool, log)
    // A database with sessions cannot be cloned.
    await endPool(pool)
  } catch (error) {
    await tearDown()
    throw error
  }
  project.provide('testSocketFolder', embedded.address.socketFolder ?? '')
  return tearDown
}

/** A run that was killed could not remove its folder, which takes memory. One whose lock is free has no run any more. */
async function removeLeftovers(log: Log): Promise<void> {
  const parent = scratchParent()
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(folderPrefix))) {
    const folder = join(parent, name)
    if (readHolder(folder) === undefined) continue
    try {
      const lock = lockFolder(folder)
      await endLeftovers(join(folder, clusterName), log)
      lock.release()
    } catch {
      continue
    }
    rmSync(folder, { recursive: true, force: true })
  }
}
