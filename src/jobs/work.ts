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
const drainPollMs = 5
/** Between the end of a worker and its next start. */
const restartMs = 200
/** How long a worker that lost the database is waited for. Tasks it still runs may run again elsewhere, as ever. */
const lostMsMax = 2000
/** Tasks taken from the database at once, and told as done together: it halves what a task costs there. */
const takenAtOnce = 16

/** What both ways of working say: a task's end is told in a way whose failure ends the work, not the process. */
const tellEnds = { completeJobBatchDelay: 0, failJobBatchDelay: 0 }

/**
 * Starts working on tasks until stopped. When the database goes away the library stops for good; it is then started again
 * until the database is back.
 *
 * @param pool of `createTaskPool`
 * @param concurrency tasks at once
 */
export async function startWorker(pool: Pool, handlers: TaskHandlers, log: Log, concurrency = 4): Promise<Worker> {
  const unhear = hearLibrary(log)
  let shift = await startShift(pool, handlers, log, concurrency)
  let stopping = false
  const supervise = async (): Promise<void> => {
    for (;;) {
      await shift.ended
      if (stopping) return
      log.error('the worker lost the database; it is started again')
      await pause(restartMs)
      try {
        shift = await startShift(pool, handlers, log, concurrency)
      } catch (error) {
        log.warn({ err: error }, 'the worker cannot be started yet')
      }
      if (stopping) await shift.stop()
    }
  }
  const supervised = supervise()
  const timer = setInterval(() => {
    recoverDeadWorkers(pool, log).catch((error: unknown) =>
      log.warn({ err: error }, 'tasks of dead workers not recovered'),
    )
  }, recoverEveryMs)
  await recoverDeadWorkers(pool, log)
  return {
    async stop() {
      clearInterval(timer)
      stopping = true
      await shift.stop()
      await supervised
      unhear()
    },
  }
}

/**
 * The library (0.17.3) leaves promises that nobody hears when the database goes away while it fails, completes or gives
 * back tasks, and an unheard promise ends the process. What it lost is recovered as a dead worker's tasks are.
 */
function hearLibrary(log: Log): () => void {
  const hear = (reason: unknown): void => {
    if (!(reason instanceof Error) || !/[\\/]graphile-worker[\\/]/.test(reason.stack ?? '')) throw reason
    log.error({ err: reason }, 'the worker failed in the background; its tasks are taken again')
  }
  process.on('unhandledRejection', hear)
  return () => process.off('unhandledRejection', hear)
}

/** One run of the library, which ends by being stopped or with its connections. */
interface Shift {
  /** Never rejects. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

async function startShift(pool: Pool, handlers: TaskHandlers, log: Log, concurrency: number): Promise<Shift> {
  const presence = await announce(pool)
  const runner = await run({
    pgPool: pool,
    taskList: taskList(handlers, log),
    concurrency,
    pollInterval: pollMs,
    noHandleSignals: true,
    logger: quietLogger(log),
    events: presence.events,
    preset: { worker: { localQueue: { size: takenAtOnce }, ...tellEnds } },
  }).catch(async (error: unknown) => {
    await presence.leave()
    throw error
  })
  const finished = runner.promise.catch((error: unknown) => log.debug({ err: error }, 'the worker ended'))
  // Rejected when it was stopped or has stopped by itself already.
  const stop = (): Promise<void> => runner.stop().catch(() => undefined)
  // Without its lock others take its tasks for a dead worker's; and what it could not tell the database it never tells.
  const failed = new Promise((resolve) => presence.events.once('pool:fatalError', resolve))
  const lost = Promise.race([presence.lost, failed]).then(() => {
    void stop()
    // The library may wait for ever for the telling of an end that failed.
    return within(finished, lostMsMax)
  })
  const ended = Promise.race([finished, lost]).then(() => presence.leave())
  return {
    ended,
    async stop() {
      void stop()
      await ended
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
      await pause(drainPollMs)
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
      preset: { worker: tellEnds },
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

interface Presence {
  readonly events: WorkerEvents
  /** Resolves when the connection with the locks breaks; never when it does not. */
  readonly lost: Promise<void>
  leave(): Promise<void>
}

/** Takes, on one connection of its own, the lock of every worker pool that announces itself on `events`. */
async function announce(pool: Pool): Promise<Presence> {
  const client = await pool.connect()
  const taken: Promise<unknown>[] = []
  let broken: Error | undefined
  const { promise: lost, resolve: tellLost } = Promise.withResolvers<void>()
  const broke = (error: Error): void => {
    broken = error
    tellLost()
  }
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
    lost,
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

/** Resolves with the work, or after a while without it. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([work, late])
  clearTimeout(timer)
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
