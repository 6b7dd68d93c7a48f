/**
 * Wakes idle workers once tasks are durable.
 *
 * PostgreSQL lets transactions that NOTIFY commit one after the other, each with its own wait for the disk: with the
 * queue library's own `add_jobs`, which notifies inside, 32 clients launched no more a second than two. So workers are woken by a
 * transaction of its own, which waits for no disk, and one wakes for all tasks that were added while the one before it
 * was under way. A call that gets lost costs the second until a worker looks by itself.
 */
import type { Database } from '../database/database.ts'

interface Bell {
  /** Tasks nobody was woken for yet. */
  waiting: number
  ringing: boolean
}

const bells = new WeakMap<Database, Bell>()

/** @param tasks how many were added; no more workers are woken */
export function wakeWorkers(database: Database, tasks: number): void {
  let bell = bells.get(database)
  if (bell === undefined) bells.set(database, (bell = { waiting: 0, ringing: false }))
  bell.waiting += tasks
  if (!bell.ringing) void ring(database, bell)
}

async function ring(database: Database, bell: Bell): Promise<void> {
  bell.ringing = true
  while (bell.waiting > 0) {
    const count = bell.waiting
    bell.waiting = 0
    try {
      // The payload is the library's own.
      await database.pool.query({
        name: 'wake-workers',
        text: `select pg_notify('jobs:insert', json_build_object('r', random(), 'count', $1::int)::text)`,
        values: [count],
      })
    } catch (error) {
      database.log.debug({ reason: (error as Error).message }, 'workers were not woken; they look by themselves')
    }
  }
  bell.ringing = false
}
