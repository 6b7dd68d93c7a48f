/**
 * A process of its own that starts PostgreSQL on a data folder, tells about it in one line of JSON, and waits to be killed,
 * or for the end of its standard input. As root it can be told to become `nobody` first.
 */
import { createLog } from '../src/base/telemetry.ts'
import { nobody, runsAsRoot } from '../src/database/data-folder.ts'
import { startEmbedded } from '../src/database/embedded.ts'
import { prepareBinaries } from '../src/database/postgres-binaries.ts'

const [dataFolder = '', mode] = process.argv.slice(2)
const user = mode === 'unprivileged' && runsAsRoot() ? nobody() : undefined
const binaries = prepareBinaries(runsAsRoot() ? nobody() : undefined)
if (user !== undefined) {
  process.setgid?.(user.gid)
  process.setuid?.(user.uid)
}

try {
  const embedded = await startEmbedded({ dataFolder, log: createLog('silent'), binaries })
  console.log(JSON.stringify({ pid: embedded.pid, uid: process.getuid?.(), address: embedded.address }))
  process.stdin.resume().once('end', () => void embedded.stop())
} catch (error) {
  console.log(JSON.stringify({ refused: (error as Error).message }))
}
