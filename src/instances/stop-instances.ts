/** StopInstances: the meter ends at once; the machine is brought down afterwards. */
import { assert } from '../base/assert.ts'
import type { Transaction } from '../database/database.ts'
import { userInitiated, type Actor, type Request, type StateChange, type StateReason } from './instances.ts'
import { recordTransitions } from './record-transition.ts'
import { requestState } from './request-state.ts'

/** Whose instances, which, and who asks for what reason. */
export interface EndRequest {
  readonly accountId: string
  /** Left out, instances of any region. */
  readonly region?: string
  readonly instanceIds: readonly string[]
  readonly actor: Actor
  /** Default: the user asked for it. */
  readonly stateReason?: StateReason
}

/**
 * Stops instances, all or none. One that is stopping or stopped stays so.
 *
 * @throws Fault MissingParameter, InvalidParameter, InstanceNotFound, IncorrectState (pending, shutting-down, terminated)
 */
export async function stopInstances(tx: Transaction, request: EndRequest): Promise<StateChange[]> {
  return await endInstances(tx, request, 'stop', 'StopInstances')
}

/** Leaves the present state for a stop or a termination: what both do. */
export async function endInstances(
  tx: Transaction,
  request: EndRequest,
  kind: Extract<Request, 'stop' | 'terminate'>,
  reason: string,
): Promise<StateChange[]> {
  const requested = await requestState(tx, { ...request, request: kind })
  const transitions = requested.flatMap(({ instance, to }) =>
    instance.state === to
      ? []
      : [{ instanceId: instance.instanceId, from: instance.state, sequence: instance.sequence, to }],
  )
  const changed = await recordTransitions(tx, {
    accountId: request.accountId,
    transitions,
    actor: request.actor,
    reason,
    stateReason: request.stateReason ?? userInitiated,
  })
  assert(changed.length === transitions.length, 'locked instances change as decided')
  return requested.map(({ instance, to }) => ({
    instanceId: instance.instanceId,
    previousState: instance.state,
    currentState: to,
  }))
}
