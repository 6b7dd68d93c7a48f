/** How many instances an account may have that are not stopped or terminated: a guard against a slip, not a quota. */
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { countActive } from './store.ts'

/**
 * How many of the instances asked for the account may have. Two launches at once can each be given the same free places:
 * exactness would cost a lock that every launch of an account waits for.
 *
 * @returns `maxCount`, or as many as are free when that is at least `minCount`
 * @throws Fault LimitExceeded (EC2 InstanceLimitExceeded)
 */
export async function requireCapacity(
  tx: Transaction,
  accountId: string,
  request: { minCount: number; maxCount: number },
): Promise<number> {
  const limit = tx.config.instancesPerAccountMax
  const active = await countActive(tx, accountId)
  const free = Math.max(0, limit - active)
  if (free >= request.minCount) return Math.min(request.maxCount, free)
  throw new Fault(
    'LimitExceeded',
    `You have requested more instances (${active + request.minCount}) than your current instance limit of ${limit} allows; ${active} are not stopped or terminated. Terminate some, or ask the operator for a higher limit.`,
    { data: { ec2Code: 'InstanceLimitExceeded' } },
  )
}
