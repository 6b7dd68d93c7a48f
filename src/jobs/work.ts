/**
 * The worker: runs tasks as they come, and gives back the tasks of workers that died. A worker is alive as long as its
 * connection holds an advisory lock named after it; a lock that anyone can take belongs to the dead. (graphile-worker alone
 * would leave a crashed worker's tasks locked for four hours.)
 */
import { EventEmitter } from 'node:events'
import { Logger, run, runOnce, type Job, type JobHelpers, type TaskList, type WorkerEvents } from 'graphile-worker'
import type { Pool } from 'pg'
import type { Log } from '../base/telemetry.ts'
import type { TaskName, TaskPayloads } from './enqueue.ts'

/** What is done for each task. */
export type TaskHandlers = { readonly [Name in TaskName]: (payload: TaskPayloads[Name]) => Promise<void> }

export interface Worker {
  /** Finishes the tasks in hand and stops. */
  stop(): Promise<void>
}

/** A locked task younger than this is left alone: its worker may not have taken its own lock yet. */
const recoverAfterMs = 2000
const recoverEveryMs = 5000
const pollMs = 1000
/** Tasks taken from the database at once, and told as done together: it halves what a task costs there. */
const takenAtOnce = 16

/**
 * Starts working on tasks until stopped.
 *
 * @param pool of `createTaskPool`
 * @param concurrency tasks at once
 */
export async function startWorker(pool: Pool, handlers: TaskHandlers, log: Log, concurrency = 4): Promise<Worker> {
  const presence = await announce(pool)
  const runner = await run({
    pgPool: pool,
    taskList: taskList(handlers, log),
    concurrency,
    pollInterval: pollMs,
    noHandleSignals: true,
    logger: quietLogger(log),
    events: presence.events,
    preset: { worker: { localQueue: { size: takenAtOnce }, completeJobBatchDelay: 0 } },
  })
  const timer = setInterval(() => {
    recoverDeadWorkers(pool, log).catch((error: unknown) =>
      log.warn({ err: error }, 'tasks of dead workers not recovered'),
    )
  }, recoverEveryMs)
  await recoverDeadWorkers(pool, log)
  return {
    async stop() {
      clearInterval(timer)
      await runner.stop()
      await runner.promise
      await presence.leave()
    },
  }
}

/**
 * Works until no task can be run now, here or at any other worker. Tasks that failed and wait for their next try do not
 * hold it up.
 *
 * @returns how many tasks wait for another try after a failure
 */
export async function drainTasks(pool: Pool, handlers: TaskHandlers, log: Log): Promise<{ waiting: number }> {
  for (;;) {
    const { rows } = await pool.query<{ runnable: number; locked: number; waiting: number }>(
      `select count(*) filter (where locked_at is null and run_at <= now() and attempts < max_attempts)::int as runnable,
              count(*) filter (where locked_at is not null)::int as locked,
              count(*) filter (where locked_at is null and attempts > 0 and attempts < max_attempts)::int as waiting
         from graphile_worker.jobs`,
    )
    const counts = rows[0]
    if (counts === undefined || (counts.runnable === 0 && counts.locked === 0)) {
      return { waiting: counts?.waiting ?? 0 }
    }
    if (counts.runnable > 0) await drainOnce(pool, handlers, log)
    else {
      await recoverDeadWorkers(pool, log)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

async function drainOnce(pool: Pool, handlers: TaskHandlers, log: Log): Promise<void> {
  const presence = await announce(pool)
  try {
    await runOnce({
      pgPool: pool,
      taskList: taskList(handlers, log),
      concurrency: 4,
      noHandleSignals: true,
      logger: quietLogger(log),
      events: presence.events,
    })
  } finally {
    await presence.leave()
  }
}

/** Unlocks the tasks of workers whose connection is gone, so that others take them at once. */
export async function recoverDeadWorkers(pool: Pool, log: Log): Promise<string[]> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ worker: string }>(
      `select distinct locked_by as worker from graphile_worker.jobs
        where locked_by is not null and locked_at < now() - $1 * interval '1 millisecond'`,
      [recoverAfterMs],
    )
    const dead: string[] = []
    for (const { worker } of rows) {
      const lock = await client.query<{ taken: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken',
        [worker],
      )
      if (lock.rows[0]?.taken !== true) continue
      await client.query('select graphile_worker.force_unlock_workers($1::text[])', [[worker]])
      await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [worker])
      dead.push(worker)
    }
    if (dead.length > 0) log.warn({ workers: dead }, 'tasks of dead workers given back')
    return dead
  } finally {
    client.release()
  }
}

/** Takes, on one connection of its own, the lock of every worker pool that announces itself on `events`. */
async function announce(pool: Pool): Promise<{ events: WorkerEvents; leave(): Promise<void> }> {
  const client = await pool.connect()
  const taken: Promise<unknown>[] = []
  let broken: Error | undefined
  const broke = (error: Error): void => void (broken = error)
  client.on('error', broke)
  const events = new EventEmitter() as WorkerEvents
  events.on('pool:create', ({ workerPool }) => {
    const { id } = workerPool as unknown as { id: string }
    taken.push(
      client
        .query('select pg_advisory_lock(hashtextextended($1, 0))', [id])
        .catch((error: unknown) => (broken = error as Error)),
    )
  })
  return {
    events,
    async leave() {
      await Promise.all(taken)
      if (broken === undefined)
        await client.query('select pg_advisory_unlock_all()').catch((error: unknown) => (broken = error as Error))
      client.off('error', broke)
      client.release(broken)
    },
  }
}

function taskList(handlers: TaskHandlers, log: Log): TaskList {
  const list: TaskList = {}
  for (const [name, handler] of Object.entries(handlers) as [TaskName, (payload: unknown) => Promise<void>][]) {
    list[name] = async (payload: unknown, { job }: JobHelpers) => {
      try {
        await handler(payload)
      } catch (error) {
        log.error(
          { err: error, task: name, attempt: job.attempts, last: isLastAttempt(job) },
          'a task failed and will be tried again',
        )
        throw error
      }
    }
  }
  return list
}

function isLastAttempt(job: Job): boolean {
  return job.attempts >= job.max_attempts
}

/** The library's own messages, at the levels ours has for them. */
function quietLogger(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log.error(message)
    else if (level === 'warning') log.warn(message)
    else log.trace(message)
  })
}
