/**
 * The handler of the task `instance.advance`: asks the driver to finish what an instance is in the middle of, and records
 * what it answers. The driver is asked outside any transaction, since a machine may take its time; the compare-and-set on the sequence
 * then decides whether the answer still matters.
 */
import type { ComputeDriver, Machine } from '../compute/compute.ts'
import { systemActor } from '../accounts/accounts.ts'
import type { Database } from '../database/database.ts'
import { readInstance } from './describe-store.ts'
import { driverGoals, isTransitional, machineLost, type Instance } from './instances.ts'
import { recordTransitions } from './record-transition.ts'

/**
 * May run twice, late, or after the instance has moved on: a task of another sequence does nothing.
 *
 * @returns whether this run changed the state
 * @throws Error when the driver cannot tell yet; the task is then tried again
 */
export async function advanceInstance(
  db: Database,
  driver: ComputeDriver,
  task: { accountId: string; instanceId: string; sequence: number },
): Promise<boolean> {
  const instance = await db.read((tx) => readInstance(tx, task.accountId, task.instanceId))
  if (instance === undefined || instance.sequence !== task.sequence || !isTransitional(instance.state)) return false
  const from = instance.state
  const { goal, answers } = driverGoals[from]
  const answer = await driver.advance(toMachine(instance), goal)
  const to = (answers as readonly string[]).includes(answer) ? answer : undefined
  if (to === undefined) {
    throw new Error(`the driver ${driver.name} answered ${answer} for ${instance.instanceId}, asked to be ${goal}`)
  }
  const changed = await db.transaction((tx) =>
    recordTransitions(tx, {
      accountId: task.accountId,
      transitions: [{ instanceId: instance.instanceId, from, sequence: task.sequence, to }],
      actor: systemActor,
      reason: to === goal ? `driver ${driver.name}` : `driver ${driver.name} lost the machine`,
      ...(to === goal ? {} : { stateReason: machineLost }),
    }),
  )
  return changed.length === 1
}

function toMachine(instance: Instance): Machine {
  return {
    accountId: instance.ownerAccountId,
    instanceId: instance.instanceId,
    imageId: instance.imageId,
    region: instance.region,
    availabilityZone: instance.availabilityZone,
    environment: instance.environment,
    instanceType: instance.instanceType,
    architecture: instance.architecture,
    privateIpAddress: instance.privateIpAddress,
    ...(instance.keyName === undefined ? {} : { keyName: instance.keyName }),
    ...(instance.userData === undefined ? {} : { userData: instance.userData }),
  }
}
