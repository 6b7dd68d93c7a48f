/** Before the first test file: one PostgreSQL for the whole run, with a migrated database that tests are cloned from. */
import { rmSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { createLog } from '../src/base/telemetry.ts'
import { startEmbedded } from '../src/database/embedded.ts'
import { migrate } from '../src/database/migrate.ts'
import { createPool } from '../src/database/pool.ts'
import { makeScratchFolder } from './scratch-folder.ts'

declare module 'vitest' {
  interface ProvidedContext {
    testSocketFolder: string
  }
}

export const templateName = 'turnpike_template'

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const log = createLog('error')
  const dataFolder = makeScratchFolder('turnpike-test-')
  const embedded = await startEmbedded({ dataFolder, log, fast: true })
  const tearDown = async (): Promise<void> => {
    await embedded.stop()
    rmSync(dataFolder, { recursive: true, force: true })
  }
  try {
    const admin = createPool(embedded.address, log, 1)
    await admin.query(`create database ${templateName}`)
    await admin.end()
    const pool = createPool({ ...embedded.address, database: templateName }, log, 2)
    await migrate(pool, log)
    // A database with sessions cannot be cloned.
    await pool.end()
  } catch (error) {
    await tearDown()
    throw error
  }
  project.provide('testSocketFolder', embedded.address.socketFolder ?? '')
  return tearDown
}
