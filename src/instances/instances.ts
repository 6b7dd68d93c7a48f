/** Instances: their shape, their states, and the rules that need nothing but their own values. */
import { systemActor } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'
import type { RootDeviceType, Tag, VirtualizationType } from '../images/images.ts'

/**
 * The life of an instance.
 *
 * - `pending`: launched or started, the machine is not there yet. Moved by the driver to `running`, or to `terminated`
 *   when the machine could not be made.
 * - `running`: the only state that is metered. Left the moment a stop or a termination is asked for, so the time a machine
 *   takes to go down is not billed. A reboot does not leave it.
 * - `stopping`: a stop was asked for. Moved by the driver to `stopped`, or to `terminated` when the machine was lost.
 * - `stopped`: may be started again, which is a new launch to the meter: `pending`, then a new run.
 * - `shutting-down`: a termination was asked for, in whatever state. Moved by the driver to `terminated`.
 * - `terminated`: the end. Nothing moves it; asking for a stop is refused, asking for a termination is harmless.
 *
 * A user cannot stop a `pending` instance (EC2 refuses it); the end of access can, since it must not wait for a machine that never
 * comes.
 */
export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated'

/** EC2's number of each state. */
export const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
}

/** What can be asked of an instance. */
export type Request = 'start' | 'stop' | 'terminate' | 'reboot'

/** Who asks: an account by its id, or `system` for an end-of-access policy. */
export type Actor = string

/** What a request leads to: another state, the same (nothing to do), or a refusal. */
const requests: Readonly<Record<Request, Readonly<Partial<Record<InstanceState, InstanceState>>>>> = {
  start: { stopped: 'pending', pending: 'pending', running: 'running' },
  stop: { running: 'stopping', stopping: 'stopping', stopped: 'stopped' },
  terminate: {
    pending: 'shutting-down',
    running: 'shutting-down',
    stopping: 'shutting-down',
    stopped: 'shutting-down',
    'shutting-down': 'shutting-down',
    terminated: 'terminated',
  },
  reboot: { pending: 'pending', running: 'running' },
}

/** @returns the state the request leads to, or undefined when it is refused in this state */
export function nextState(request: Request, state: InstanceState, actor: Actor): InstanceState | undefined {
  if (request === 'stop' && state === 'pending' && actor === systemActor) return 'stopping'
  return requests[request][state]
}

/** What a driver is asked for in each state it moves, and the answers it may give. */
export const driverGoals = {
  pending: { goal: 'running', answers: ['running', 'terminated'] },
  stopping: { goal: 'stopped', answers: ['stopped', 'terminated'] },
  'shutting-down': { goal: 'terminated', answers: ['terminated'] },
} as const

/** Whether the driver has something to do in this state. */
export function isTransitional(state: InstanceState): state is keyof typeof driverGoals {
  return Object.hasOwn(driverGoals, state)
}

/** A code of EC2's and its sentence. */
export interface StateReason {
  readonly code: string
  readonly message: string
}

export const userInitiated: StateReason = {
  code: 'Client.UserInitiatedShutdown',
  message: 'Client.UserInitiatedShutdown: User initiated shutdown',
}

export const machineLost: StateReason = {
  code: 'Server.InternalError',
  message: 'Server.InternalError: Internal error on launch or while stopping; the machine is gone',
}

/** The reason shown when the end-of-access policy of a product acted (spec §6). */
export function subscriptionEnded(productCode: string): StateReason {
  return {
    code: 'Server.SubscriptionEnded',
    message: `Server.SubscriptionEnded: The subscription to product ${productCode} ended and its end-of-access policy was applied`,
  }
}

export interface Instance {
  readonly instanceId: string
  readonly ownerAccountId: string
  readonly reservationId: string
  readonly launchIndex: number
  readonly imageId: string
  readonly productCode?: string
  /** Missing for the product's own seller, whose use is not billed. */
  readonly subscriptionId?: string
  readonly region: string
  readonly availabilityZone: string
  readonly environment: string
  /** As EC2 shows it: only for Windows, missing otherwise. */
  readonly platform?: 'windows'
  readonly instanceType: string
  readonly architecture: string
  readonly keyName?: string
  /** Base64, as it was sent. */
  readonly userData?: string
  /** Names, as they were sent; `default` when none was. */
  readonly securityGroups: readonly string[]
  readonly monitoring: boolean
  readonly shutdownBehavior: 'stop' | 'terminate'
  readonly privateIpAddress: string
  readonly privateDnsName: string
  readonly state: InstanceState
  readonly stateReason?: StateReason
  /** EC2's `reason`: `User initiated (2010-08-31 12:00:00 GMT)`, empty while nobody asked for an end. */
  readonly stateTransitionReason: string
  readonly sequence: number
  /** Of the launch, or of the latest start. */
  readonly launchedAt: Date
  readonly stateChangedAt: Date
  readonly rootDeviceType: RootDeviceType
  readonly rootDeviceName?: string
  readonly virtualizationType: VirtualizationType
  /** What the owner tagged it with. */
  readonly tags: readonly Tag[]
}

export interface Reservation {
  readonly reservationId: string
  readonly ownerAccountId: string
  readonly clientToken?: string
  /** By launch index; a page may hold only a part of them. */
  readonly instances: readonly Instance[]
}

/** What a request changed of one instance; both states are the same when there was nothing to do. */
export interface StateChange {
  readonly instanceId: string
  readonly previousState: InstanceState
  readonly currentState: InstanceState
}

/** The name an instance has inside the cloud. */
export function privateDnsName(privateIpAddress: string, region: string): string {
  return `ip-${privateIpAddress.replaceAll('.', '-')}.${region}.compute.internal`
}

const instanceIdForm = /^i-[0-9a-f]{8,17}$/

/** @throws Fault InvalidParameter (EC2 InvalidInstanceID.Malformed) */
export function requireInstanceIds(instanceIds: readonly string[]): void {
  for (const instanceId of instanceIds) {
    if (instanceIdForm.test(instanceId)) continue
    throw new Fault('InvalidParameter', `Invalid id: "${instanceId}" (expecting "i-..." and 8 to 17 hex digits).`, {
      data: { ec2Code: 'InvalidInstanceID.Malformed', parameter: 'InstanceId' },
    })
  }
}

/** The refusal for instances nobody has, or that are another account's: one answer for both. */
export function instanceNotFound(instanceIds: readonly string[]): Fault {
  const list = instanceIds.join(', ')
  const text =
    instanceIds.length === 1 ? `The instance ID '${list}' does not exist` : `The instance IDs '${list}' do not exist`
  return new Fault('InstanceNotFound', text, { data: { ec2Code: 'InvalidInstanceID.NotFound', instanceId: list } })
}

/** The refusal of a request in a state that does not allow it. */
export function incorrectState(request: Request, instance: { instanceId: string; state: InstanceState }): Fault {
  const participle = { start: 'started', stop: 'stopped', terminate: 'terminated', reboot: 'rebooted' }[request]
  const allowed = Object.keys(requests[request]).join(', ')
  return new Fault(
    'IncorrectState',
    `The instance '${instance.instanceId}' is ${instance.state}, a state from which it cannot be ${participle}. Allowed: ${allowed}.`,
    { data: { ec2Code: 'IncorrectInstanceState', instanceId: instance.instanceId, state: instance.state } },
  )
}
