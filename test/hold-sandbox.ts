/** A process of its own that serves the payment sandbox on a database, tells its address in one line, and waits to be killed. */
import { Sealer } from '../src/base/seal.ts'
import { createLog } from '../src/base/telemetry.ts'
import { loadConfig } from '../src/base/config.ts'
import { manualClock } from '../src/database/clock.ts'
import { Database } from '../src/database/database.ts'
import { createPool } from '../src/database/pool.ts'
import { createSandbox } from '../src/sandbox/serve-sandbox.ts'

const [databaseUrl = '', masterKey = ''] = process.argv.slice(2)
const log = createLog('silent')
const pool = createPool({ url: databaseUrl }, log, 10)
const config = loadConfig({ databaseUrl, masterKey, clock: 'manual' }, {})
const sealer = new Sealer(Buffer.from(masterKey, 'base64'))
const database = new Database({ pool, clock: manualClock, config, sealer, log })
const { url } = await createSandbox({ database, log, webhookUrl: () => undefined }).listen(0)
console.log(url)
