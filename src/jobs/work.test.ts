import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { createTaskPool } from '../database/pool.ts'
import { enqueue, type TaskName } from './enqueue.ts'
import { drainTasks, recoverDeadWorkers, startWorker, type TaskHandlers } from './work.ts'

let house: TestDatabase
let tasks: Pool
beforeAll(async () => {
  house = await testDatabase()
  tasks = createTaskPool(house.address, house.log)
})
afterAll(async () => {
  await tasks.end()
  await house.close()
})

const names: TaskName[] = [
  'mail.send',
  'instance.advance',
  'order.vet',
  'invoice.collect',
  'subscription.refund',
  'refund.pay',
  'payout.send',
  'processor.event',
]

/** Handlers that note what they are given; `fail` decides whether a task throws. */
function noting(done: unknown[], fail: (payload: unknown) => boolean = () => false): TaskHandlers {
  const handler = (payload: unknown): Promise<void> => {
    if (fail(payload)) return Promise.reject(new Error('refused by the test'))
    done.push(payload)
    return Promise.resolve()
  }
  return Object.fromEntries(names.map((name) => [name, handler])) as unknown as TaskHandlers
}

async function lockedBy(worker: string, ageSeconds: number): Promise<void> {
  await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId: 'dead' }))
  await house.pool.query(
    `update graphile_worker._private_jobs set locked_by = $1, locked_at = now() - $2 * interval '1 second', attempts = 1`,
    [worker, ageSeconds],
  )
}

test('a task exists exactly when its transaction commits', async () => {
  const done: unknown[] = []
  await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId: 'kept' }))
  const failing = house.database.transaction(async (tx) => {
    await enqueue(tx, 'mail.send', { mailId: 'lost' })
    throw new Error('rolled back')
  })
  await expect(failing).rejects.toThrow('rolled back')
  expect(await drainTasks(tasks, noting(done), house.log)).toEqual({ waiting: 0 })
  expect(done).toEqual([{ mailId: 'kept' }])
})

test('tasks under one key that have not run are one task', async () => {
  const done: unknown[] = []
  for (const mailId of ['first', 'second']) {
    await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId }, 'one'))
  }
  await drainTasks(tasks, noting(done), house.log)
  expect(done).toEqual([{ mailId: 'second' }])
})

test('a task that fails waits for its next try and holds nothing up', async () => {
  const done: unknown[] = []
  await house.database.transaction(async (tx) => {
    await enqueue(tx, 'mail.send', { mailId: 'bad' })
    await enqueue(tx, 'mail.send', { mailId: 'good' })
  })
  const handlers = noting(done, (payload) => (payload as { mailId: string }).mailId === 'bad')
  expect(await drainTasks(tasks, handlers, house.log)).toEqual({ waiting: 1 })
  expect(done).toEqual([{ mailId: 'good' }])
  await house.pool.query('update graphile_worker._private_jobs set run_at = now()')
  await drainTasks(tasks, noting(done), house.log)
  expect(done).toEqual([{ mailId: 'good' }, { mailId: 'bad' }])
})

test('the task of a dead worker is given back; a living worker keeps its own', async () => {
  const done: unknown[] = []
  await lockedBy('pool-dead', 60)
  expect(await recoverDeadWorkers(tasks, house.log)).toEqual(['pool-dead'])
  await drainTasks(tasks, noting(done), house.log)
  expect(done).toEqual([{ mailId: 'dead' }])

  const alive = await house.pool.connect()
  await alive.query(`select pg_advisory_lock(hashtextextended('pool-alive', 0))`)
  await lockedBy('pool-alive', 60)
  expect(await recoverDeadWorkers(tasks, house.log)).toEqual([])
  await alive.query('select pg_advisory_unlock_all()')
  alive.release()
  expect(await recoverDeadWorkers(tasks, house.log)).toEqual(['pool-alive'])
  await drainTasks(tasks, noting(done), house.log)
})

test('a running worker takes tasks as they are committed and finishes them before it stops', async () => {
  const done: unknown[] = []
  const worker = await startWorker(tasks, noting(done), house.log)
  await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId: 'live' }))
  await vi.waitFor(() => expect(done).toEqual([{ mailId: 'live' }]), { timeout: 10_000 })
  await worker.stop()
})

test('a task is added as the library adds it, so that its workers find it', async () => {
  const done: unknown[] = []
  await house.pool.query(`select graphile_worker.add_jobs(array[
    row('mail.send', '{"mailId": "same"}'::json, null, null, 20, null, null, null)::graphile_worker.job_spec])`)
  await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId: 'same' }))
  const { rows } = await house.pool.query<{ different: string }>(`
    select to_jsonb(job) - array['id', 'run_at', 'created_at', 'updated_at'] as row from graphile_worker._private_jobs job`)
  expect(rows).toHaveLength(2)
  expect(rows[1]).toEqual(rows[0])
  await drainTasks(tasks, noting(done), house.log)
  expect(done).toHaveLength(2)
})

test('an idle worker is woken by a task, however many are added at once', async () => {
  const done: unknown[] = []
  const worker = await startWorker(tasks, noting(done), house.log)
  const add = (mailId: string) => house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId }))
  await Promise.all(Array.from({ length: 20 }, (_, index) => add(`at once ${index}`)))
  await vi.waitFor(() => expect(done).toHaveLength(20), { timeout: 5000 })
  const listened = await house.pool.connect()
  const woken: unknown[] = []
  listened.on('notification', (message) => woken.push(JSON.parse(message.payload ?? '')))
  await listened.query('listen "jobs:insert"')
  await add('alone')
  await vi.waitFor(() => expect(woken).toEqual([{ r: expect.any(Number), count: 1 }]), { timeout: 5000 })
  await listened.query('unlisten *')
  listened.release()
  await vi.waitFor(() => expect(done).toHaveLength(21), { timeout: 5000 })
  await worker.stop()
})

test(
  'a worker whose connections are cut goes on with new ones, and stops when told to',
  { timeout: 60_000 },
  async () => {
    const done: unknown[] = []
    const worker = await startWorker(tasks, noting(done), house.log)
    for (const mailId of ['first', 'second', 'third']) {
      await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId }))
      await house.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
      )
      // Cut in the middle of a task it may run twice, never not at all.
      await vi.waitFor(() => expect(done).toContainEqual({ mailId }), { timeout: 15_000 })
    }
    await worker.stop()
    await house.database.transaction((tx) => enqueue(tx, 'mail.send', { mailId: 'after' }))
    await drainTasks(tasks, noting(done), house.log)
    expect(done).toContainEqual({ mailId: 'after' })
  },
)
