/** StartInstances: a start is a launch to the meter, and needs what a launch of the product needs (spec §11). */
import { assert } from '../base/assert.ts'
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import type { StateChange } from './instances.ts'
import { requireCapacity } from './limit.ts'
import { recordTransitions } from './record-transition.ts'
import { requestState, type Requested } from './request-state.ts'
import { requireEntitlement } from './require-entitlement.ts'

/**
 * Starts stopped instances, all or none; one that is pending or running stays so. The instance is billed under the
 * subscription that is live now, which after a resubscription is another one than before.
 *
 * @throws Fault MissingParameter, InvalidParameter, InstanceNotFound, IncorrectState (stopping, shutting-down, terminated),
 *   LimitExceeded, OutsideConfiguration, NotSubscribed, SubscriptionSuspended
 */
export async function startInstances(
  tx: Transaction,
  request: { caller: Caller; region: string; instanceIds: readonly string[] },
): Promise<StateChange[]> {
  const { accountId } = request.caller
  const requested = await requestState(tx, {
    accountId,
    region: request.region,
    instanceIds: request.instanceIds,
    actor: accountId,
    request: 'start',
  })
  const starting = requested.filter(({ instance, to }) => instance.state !== to)
  if (starting.length > 0) await start(tx, accountId, starting)
  return requested.map(({ instance, to }) => ({
    instanceId: instance.instanceId,
    previousState: instance.state,
    currentState: to,
  }))
}

async function start(tx: Transaction, accountId: string, starting: readonly Requested[]): Promise<void> {
  await requireCapacity(tx, accountId, { minCount: starting.length, maxCount: starting.length })
  const entitlements = await entitle(tx, accountId, starting)
  const changed = await recordTransitions(tx, {
    accountId,
    transitions: starting.map(({ instance, to }) => ({
      instanceId: instance.instanceId,
      from: instance.state,
      sequence: instance.sequence,
      to,
      subscriptionId: entitlements.get(entitlementKey({ instance, to })) ?? null,
    })),
    actor: accountId,
    reason: 'StartInstances',
    stateReason: null,
  })
  assert(changed.length === starting.length, 'locked instances change as decided')
}

/** Asks once for each product and configuration, in a fixed order so that two requests lock subscriptions alike. */
async function entitle(
  tx: Transaction,
  accountId: string,
  starting: readonly Requested[],
): Promise<Map<string, string | undefined>> {
  const asked = new Map<string, string | undefined>()
  const inOrder = starting.toSorted((a, b) => (entitlementKey(a) < entitlementKey(b) ? -1 : 1))
  for (const one of inOrder) {
    const { productCode, region, environment, instanceType } = one.instance
    const key = entitlementKey(one)
    if (productCode === undefined || asked.has(key)) continue
    const configuration = { region, environment, instanceType }
    asked.set(key, await requireEntitlement(tx, { accountId, productCode, configuration }))
  }
  return asked
}

function entitlementKey({ instance }: Requested): string {
  return [instance.productCode ?? '', instance.region, instance.environment, instance.instanceType].join('/')
}
