/**
 * Closes a month in a process of its own, which a test kills: `node test/close-month-process.ts <socketFolder> <database> <month>`.
 * Small cohorts, so that there is much to be killed in the middle of; one line of output for each.
 */
import { Sealer } from '../src/base/seal.ts'
import { createLog } from '../src/base/telemetry.ts'
import { parseMonth } from '../src/base/period.ts'
import { loadConfig } from '../src/base/config.ts'
import { manualClock } from '../src/database/clock.ts'
import { Database } from '../src/database/database.ts'
import { createPool } from '../src/database/pool.ts'
import { closeMonth } from '../src/invoices/close-month.ts'

const [socketFolder = '', name = '', month = ''] = process.argv.slice(2)
const log = createLog('silent')
const pool = createPool({ socketFolder, user: 'turnpike', database: name }, log)
const database = new Database({
  pool,
  clock: manualClock,
  config: loadConfig({}, {}),
  sealer: new Sealer(Buffer.alloc(32, 7)),
  log,
})
const closed = await closeMonth(database, {
  month: parseMonth(month),
  cohort: 3,
  workers: 2,
  report: ({ done, total }) => console.log(`${done} of ${total}`),
})
console.log(closed.finished ? 'finished' : 'open')
await pool.end()
