/**
 * The one place an instance changes its state: the row itself by compare-and-set on state and sequence, its row of the history, the run
 * it ends or begins, and the task that lets the driver go on. A run begins when `running` is reached and ends the moment it is left;
 * runs are what is billed.
 */
import { enqueueAll } from '../jobs/enqueue.ts'
import type { Transaction } from '../database/database.ts'
import { isTransitional } from './instances.ts'
import { writeTransitions, type TransitionChange } from './store.ts'

/**
 * @param change.transitions from which state and sequence to which state; those found otherwise are left alone
 * @param change.reason for the history, such as `StopInstances`
 * @param change.stateReason what the instance shows from now on; null clears it, left out keeps it
 * @returns the instances that changed, with their new sequence
 */
export async function recordTransitions(
  tx: Transaction,
  change: TransitionChange,
): Promise<{ instanceId: string; sequence: number }[]> {
  if (change.transitions.length === 0) return []
  const changed = await writeTransitions(tx, change)
  const target = new Map(change.transitions.map((transition) => [transition.instanceId, transition.to]))
  const toAdvance = changed.filter(({ instanceId }) => isTransitional(target.get(instanceId) ?? 'terminated'))
  await enqueueAll(
    tx,
    'instance.advance',
    toAdvance.map(({ instanceId, sequence }) => ({ accountId: change.accountId, instanceId, sequence })),
  )
  return changed
}
