/** What StopInstances, StartInstances, TerminateInstances and RebootInstances have in common: all instances or none. */
import type { Transaction } from '../database/database.ts'
import { Fault } from '../base/fault.ts'
import {
  incorrectState,
  instanceNotFound,
  nextState,
  requireInstanceIds,
  type Actor,
  type InstanceState,
  type Request,
} from './instances.ts'
import { lockInstances, type InstanceStanding } from './store.ts'

/** One instance with where the request leads it; `to` is its state when there is nothing to do. */
export interface Requested {
  readonly instance: InstanceStanding
  readonly to: InstanceState
}

const instancesMax = 1000

/**
 * Locks the instances and finds out what the request does to each, before anything is changed.
 *
 * @returns in the order asked for, each once
 * @throws Fault MissingParameter (none), InvalidParameter (malformed id), InstanceNotFound (unknown, or another account's),
 *   IncorrectState
 */
export async function requestState(
  tx: Transaction,
  request: { accountId: string; region?: string; instanceIds: readonly string[]; actor: Actor; request: Request },
): Promise<Requested[]> {
  const instanceIds = [...new Set(request.instanceIds)]
  if (instanceIds.length === 0 || instanceIds.length > instancesMax) {
    throw new Fault(
      'MissingParameter',
      `The request names ${instanceIds.length} instances; 1 to ${instancesMax} are allowed.`,
      {
        data: {
          ec2Code: instanceIds.length === 0 ? 'MissingParameter' : 'InvalidParameterValue',
          parameter: 'InstanceId',
        },
      },
    )
  }
  requireInstanceIds(instanceIds)
  const found = await lockInstances(tx, {
    accountId: request.accountId,
    instanceIds,
    ...(request.region === undefined ? {} : { region: request.region }),
  })
  const byId = new Map(found.map((instance) => [instance.instanceId, instance]))
  const unknown = instanceIds.filter((instanceId) => !byId.has(instanceId))
  if (unknown.length > 0) throw instanceNotFound(unknown)
  return instanceIds.flatMap((instanceId) => {
    const instance = byId.get(instanceId)
    if (instance === undefined) return []
    const to = nextState(request.request, instance.state, request.actor)
    if (to === undefined) throw incorrectState(request.request, instance)
    return [{ instance, to }]
  })
}
