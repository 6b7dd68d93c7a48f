/**
 * The end of access (spec §6): some time after a subscription ended, its product's policy acts on the instances still
 * under it. They are stopped or terminated by the same verbs a user has, a page per transaction; when none is left the due
 * instant is taken off the subscription.
 */
import { assert, present } from '../base/assert.ts'
import { systemActor } from '../accounts/accounts.ts'
import type { Database, Transaction } from '../database/database.ts'
import type { DueWork } from '../jobs/schedule.ts'
import { findProduct } from '../products/find-product.ts'
import type { EndOfAccessPolicy } from '../products/products.ts'
import { subscriptionEnded, type InstanceState } from './instances.ts'
import { stopInstances } from './stop-instances.ts'
import { clearEndOfAccess, dueEndsOfAccess, earliestEndOfAccess, instancesUnder, type EndOfAccess } from './store.ts'
import { terminateInstances } from './terminate-instances.ts'

const subscriptionsPerPage = 100
const instancesPerPage = 200

/** States each policy acts on. A stop leaves alone what is stopped, and what is going down anyway. */
const affectedStates: Readonly<Record<EndOfAccessPolicy, readonly InstanceState[]>> = {
  stop: ['pending', 'running'],
  terminate: ['pending', 'running', 'stopping', 'stopped'],
  'leave-running': [],
}

/** Ends of access as due work. A crash in the middle leaves the subscription due, and the rest is done at the next run. */
export function endOfAccessDue(db: Database): DueWork {
  return {
    name: 'end of access',
    next: () => db.read((tx) => earliestEndOfAccess(tx)),
    async run() {
      for (;;) {
        const due = await db.read((tx) => dueEndsOfAccess(tx, subscriptionsPerPage))
        if (due.length === 0) return
        for (const end of due) await endAccess(db, end)
      }
    },
  }
}

/** Applies the policy of one ended subscription to the end. Harmless to repeat. */
export async function endAccess(db: Database, end: EndOfAccess): Promise<void> {
  for (;;) {
    if (await db.transaction((tx) => endPage(tx, end))) return
  }
}

/** @returns whether this was the last page */
async function endPage(tx: Transaction, end: EndOfAccess): Promise<boolean> {
  const { accountId, subscriptionId, productCode } = end
  const product = present(await findProduct(tx, productCode), `the product of code ${productCode}`)
  const policy = product.endOfAccessPolicy
  const instanceIds = await instancesUnder(tx, {
    accountId,
    subscriptionId,
    states: affectedStates[policy],
    limit: instancesPerPage,
  })
  if (instanceIds.length === 0) {
    await clearEndOfAccess(tx, end)
    return true
  }
  assert(policy !== 'leave-running', 'a policy that leaves instances running acts on none')
  const request = { accountId, instanceIds, actor: systemActor, stateReason: subscriptionEnded(productCode) }
  await (policy === 'stop' ? stopInstances(tx, request) : terminateInstances(tx, request))
  return false
}
