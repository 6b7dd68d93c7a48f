import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { advanceAll, callerOf, launch, newImage, newPaidImage, region, subscribe } from '../../test/machines.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { systemActor } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'
import { addMs, minuteMs } from '../base/time.ts'
import type { ComputeDriver } from '../compute/compute.ts'
import { localDriver } from '../compute/local-driver.ts'
import { sql } from '../database/database.ts'
import { endSubscription } from '../subscriptions/end-subscription.ts'
import { advanceInstance } from './advance-instance.ts'
import { readInstance } from './describe-store.ts'
import type { InstanceState } from './instances.ts'
import { rebootInstances } from './reboot-instances.ts'
import { startInstances } from './start-instances.ts'
import { stopInstances } from './stop-instances.ts'
import { terminateInstances } from './terminate-instances.ts'

let house: TestDatabase
let owner: string
let imageId: string
let now = new Date('2026-06-01T00:00:00Z')

beforeAll(async () => {
  house = await testDatabase({ config: { instancesPerAccountMax: 100_000 } })
  await newProduct(house.database)
  owner = await newAccount(house.database)
  imageId = (await newImage(house.database, owner)).imageId
})
afterAll(() => house.close())

interface History {
  transitions: { sequence: number; from_state: InstanceState | null; to_state: InstanceState; at: Date }[]
  runs: { run_number: number; started_at: Date; ended_at: Date | null }[]
}

async function historyOf(accountId: string, instanceId: string): Promise<History> {
  return await house.database.read(async (tx) => ({
    transitions: await tx.rows(sql`select sequence, from_state, to_state, at from instance_transition
      where account_id = ${accountId} and instance_id = ${instanceId} order by sequence`),
    runs: await tx.rows(sql`select run_number, started_at, ended_at from instance_run
      where account_id = ${accountId} and instance_id = ${instanceId} order by run_number`),
  }))
}

async function stateOf(accountId: string, instanceId: string): Promise<string> {
  const instance = await house.database.read((tx) => readInstance(tx, accountId, instanceId))
  return `${instance?.state}/${instance?.sequence}`
}

const ask = {
  start: async (ids: string[], accountId = owner) =>
    await house.database.transaction((tx) =>
      startInstances(tx, { caller: callerOf(accountId), region, instanceIds: ids }),
    ),
  stop: async (ids: string[], accountId = owner) =>
    await house.database.transaction((tx) =>
      stopInstances(tx, { accountId, region, instanceIds: ids, actor: accountId }),
    ),
  terminate: async (ids: string[], accountId = owner) =>
    await house.database.transaction((tx) =>
      terminateInstances(tx, { accountId, region, instanceIds: ids, actor: accountId }),
    ),
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

async function launched(accountId = owner, image = imageId): Promise<string> {
  const { instances } = await launch(house.database, accountId, image)
  const [instance] = instances
  if (instance === undefined) throw new Error('one instance was launched')
  return instance.instanceId
}

/** The runs an observer of the history alone would draw: from each arrival at running to the change after it. */
function runsOf({ transitions }: History) {
  return transitions
    .filter(({ to_state }) => to_state === 'running')
    .map((begin, index) => ({
      run_number: index + 1,
      started_at: begin.at,
      ended_at: transitions.find(({ sequence }) => sequence === begin.sequence + 1)?.at ?? null,
    }))
}

test('the life of an instance, with its codes for who ended it', async () => {
  const id = await launched()
  expect(await stateOf(owner, id)).toBe('pending/1')
  expect((await faultOf(ask.stop([id]))).data['ec2Code']).toBe('IncorrectInstanceState')
  await advanceAll(house.database)
  expect(await ask.stop([id])).toEqual([{ instanceId: id, previousState: 'running', currentState: 'stopping' }])
  expect((await faultOf(ask.start([id]))).code).toBe('IncorrectState')
  await advanceAll(house.database)
  const stopped = await house.database.read((tx) => readInstance(tx, owner, id))
  expect(stopped).toMatchObject({ state: 'stopped', stateReason: { code: 'Client.UserInitiatedShutdown' } })
  expect(stopped?.stateTransitionReason).toMatch(/^User initiated \(2026-06-01 \d\d:\d\d:\d\d GMT\)$/)
  expect(await ask.stop([id])).toEqual([{ instanceId: id, previousState: 'stopped', currentState: 'stopped' }])
  expect(await ask.start([id])).toEqual([{ instanceId: id, previousState: 'stopped', currentState: 'pending' }])
  await advanceAll(house.database)
  const running = await house.database.read((tx) => readInstance(tx, owner, id))
  expect(running).toMatchObject({ state: 'running', stateTransitionReason: '' })
  expect(running).not.toHaveProperty('stateReason')
  expect(await ask.terminate([id])).toEqual([
    { instanceId: id, previousState: 'running', currentState: 'shutting-down' },
  ])
  await advanceAll(house.database)
  expect(await ask.terminate([id])).toEqual([
    { instanceId: id, previousState: 'terminated', currentState: 'terminated' },
  ])
  expect((await faultOf(ask.start([id]))).code).toBe('IncorrectState')
  expect((await faultOf(ask.stop([id]))).code).toBe('IncorrectState')
  expect((await historyOf(owner, id)).runs).toHaveLength(2)
})

test('several instances: all or none', async () => {
  const first = await launched()
  const second = await launched()
  await advanceAll(house.database)
  const stranger = await newAccount(house.database)
  const before = [await stateOf(owner, first), await stateOf(owner, second)]
  expect((await faultOf(ask.stop([first, 'i-00000000']))).data['ec2Code']).toBe('InvalidInstanceID.NotFound')
  expect((await faultOf(ask.terminate([first, 'bogus']))).data['ec2Code']).toBe('InvalidInstanceID.Malformed')
  expect((await faultOf(ask.stop([first, second], stranger))).code).toBe('InstanceNotFound')
  expect((await faultOf(ask.stop([]))).code).toBe('MissingParameter')
  await ask.terminate([second])
  await advanceAll(house.database)
  expect((await faultOf(ask.stop([first, second]))).code).toBe('IncorrectState')
  expect(await stateOf(owner, first)).toBe(before[0])
  expect(await ask.terminate([second, first, second])).toEqual([
    { instanceId: second, previousState: 'terminated', currentState: 'terminated' },
    { instanceId: first, previousState: 'running', currentState: 'shutting-down' },
  ])
})

test('a reboot changes nothing that is metered', async () => {
  const id = await launched()
  await advanceAll(house.database)
  const before = await historyOf(owner, id)
  const reboot = (instanceIds: string[]) =>
    house.database.transaction((tx) => rebootInstances(tx, { caller: callerOf(owner), region, instanceIds }))
  await reboot([id])
  expect(await historyOf(owner, id)).toEqual(before)
  await ask.stop([id])
  expect((await faultOf(reboot([id]))).code).toBe('IncorrectState')
})

test('any sequence of requests gives runs that tile the history', async () => {
  const step = fc.constantFrom('start', 'stop', 'terminate', 'end', 'advance', 'advance-old', 'advance-twice', 'wait')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const id = await launched()
      const current = async () => {
        const instance = await house.database.read((tx) => readInstance(tx, owner, id))
        return { accountId: owner, instanceId: id, sequence: instance?.sequence ?? 0 }
      }
      for (const one of steps) {
        const task = await current()
        if (one === 'wait') await house.setClock((now = addMs(now, 17 * minuteMs)))
        else if (one === 'advance') await advanceInstance(house.database, localDriver, task)
        else if (one === 'advance-old') {
          const old = { ...task, sequence: task.sequence - 1 }
          expect(await advanceInstance(house.database, localDriver, old)).toBe(false)
        } else if (one === 'advance-twice') {
          const both = [1, 2].map(() => advanceInstance(house.database, localDriver, task))
          expect((await Promise.all(both)).filter(Boolean).length).toBeLessThanOrEqual(1)
        } else {
          const request =
            one === 'end'
              ? house.database.transaction((tx) =>
                  stopInstances(tx, { accountId: owner, instanceIds: [id], actor: systemActor }),
                )
              : ask[one]([id])
          await request.catch((error: unknown) => expect((error as Fault).code).toBe('IncorrectState'))
        }
        const { sequence } = await current()
        const history = await historyOf(owner, id)
        const last = history.transitions.at(-1)
        expect(history.transitions.map((transition) => transition.sequence)).toEqual(
          Array.from({ length: sequence }, (_, index) => index + 1),
        )
        history.transitions.forEach((transition, index) =>
          expect(transition.from_state).toBe(history.transitions[index - 1]?.to_state ?? null),
        )
        expect(history.runs).toEqual(runsOf(history))
        expect(history.runs.filter(({ ended_at }) => ended_at === null)).toHaveLength(
          last?.to_state === 'running' ? 1 : 0,
        )
      }
    }),
    { numRuns: 60, seed: 20260601 },
  )
})

test('requests racing over the same instances leave one history', async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, () => launched()))
  await advanceAll(house.database)
  const outcomes = await Promise.allSettled([
    ask.stop(ids),
    ask.terminate(ids.toReversed()),
    ask.stop(ids.toReversed()),
    ask.terminate(ids),
  ])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect((outcome.reason as Fault).code).toBe('IncorrectState')
  }
  await advanceAll(house.database)
  for (const id of ids) {
    const history = await historyOf(owner, id)
    expect(history.transitions.at(-1)?.to_state).toBe('terminated')
    expect(history.runs).toEqual(runsOf(history))
  }
})

test('a clock that is behind never gives a run that ends before it began', async () => {
  const id = await launched()
  await house.setClock(addMs(now, 5000))
  await advanceAll(house.database)
  await house.setClock(now)
  await ask.stop([id])
  const [run] = (await historyOf(owner, id)).runs
  expect(run?.started_at).toEqual(addMs(now, 5000))
  expect(run?.ended_at).toEqual(addMs(now, 5000))
})

test('a machine that is lost ends its instance, and an answer out of place is a failure to be tried again', async () => {
  const id = await launched()
  const answers = (answer: 'running' | 'stopped' | 'terminated'): ComputeDriver => ({
    name: 'scripted',
    advance: () => Promise.resolve(answer),
  })
  const task = { accountId: owner, instanceId: id, sequence: 1 }
  await expect(advanceInstance(house.database, answers('stopped'), task)).rejects.toThrow('answered stopped')
  expect(await stateOf(owner, id)).toBe('pending/1')
  expect(await advanceInstance(house.database, answers('terminated'), task)).toBe(true)
  const instance = await house.database.read((tx) => readInstance(tx, owner, id))
  expect(instance).toMatchObject({ state: 'terminated', stateReason: { code: 'Server.InternalError' } })
  expect(instance?.stateTransitionReason).toMatch(/^Service initiated/)
  expect((await historyOf(owner, id)).runs).toEqual([])
})

test('an answer that comes after the instance moved on is dropped', async () => {
  const id = await launched()
  const slow: ComputeDriver = {
    name: 'slow',
    async advance(_machine, goal) {
      await ask.terminate([id])
      return goal
    },
  }
  expect(await advanceInstance(house.database, slow, { accountId: owner, instanceId: id, sequence: 1 })).toBe(false)
  expect(await stateOf(owner, id)).toBe('shutting-down/2')
  await advanceAll(house.database)
  expect(await stateOf(owner, id)).toBe('terminated/3')
})

test('an answer for an earlier launch is not taken for the present one', async () => {
  const id = await launched()
  const overtaken: ComputeDriver = {
    name: 'overtaken',
    async advance(_machine, goal) {
      await advanceAll(house.database)
      await ask.stop([id])
      await advanceAll(house.database)
      await ask.start([id])
      return goal
    },
  }
  expect(await advanceInstance(house.database, overtaken, { accountId: owner, instanceId: id, sequence: 1 })).toBe(
    false,
  )
  expect(await stateOf(owner, id)).toBe('pending/5')
})

test('a paid instance is started again only with a live subscription, and billed under that one', async () => {
  const { product } = await newProduct(house.database)
  const paid = await newPaidImage(house.database, product)
  const buyer = await newAccount(house.database)
  const first = await subscribe(house.database, buyer, product)
  const id = await launched(buyer, paid.imageId)
  await advanceAll(house.database)
  await ask.stop([id], buyer)
  await advanceAll(house.database)
  await house.database.transaction((tx) =>
    endSubscription(tx, { accountId: buyer, subscriptionId: first, reason: 'cancelled-by-buyer' }),
  )
  expect((await faultOf(ask.start([id], buyer))).code).toBe('NotSubscribed')
  const second = await subscribe(house.database, buyer, product)
  await ask.start([id], buyer)
  await advanceAll(house.database)
  const runs = await house.database.read((tx) =>
    tx.rows<{ subscription_id: string }>(
      sql`select subscription_id from instance_run where account_id = ${buyer} order by run_number`,
    ),
  )
  expect(runs.map(({ subscription_id }) => subscription_id)).toEqual([first, second])
})
