import type { Month } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { instanceHours } from '../products/dimension.ts'
import type { ProductUsageCount, Segment, UsageCount } from './metering.ts'
import { selectProductUsage, selectUsage } from './store.ts'

/**
 * Counts the hours of the accounts' runs, in one query however many accounts and runs there are.
 *
 * @param of.accountIds buyers; none of them means none, never all
 * @param of.segments per product, stretches of time that do not overlap; a product without one is not counted
 * @param of.subscriptionIds only these
 * @returns in a fixed order: by account, subscription, configuration and time; nothing where no hour began
 */
export async function countUsage(
  tx: Transaction,
  of: {
    readonly accountIds: readonly string[]
    readonly segments: readonly Segment[]
    readonly subscriptionIds?: readonly string[]
  },
): Promise<UsageCount[]> {
  if (of.accountIds.length === 0 || of.segments.length === 0) return []
  const rows = await selectUsage(tx, of.accountIds, of.segments, of.subscriptionIds)
  return rows.map(({ region, environment, instanceType, ...row }) => ({
    ...row,
    dimension: instanceHours({ region, environment, instanceType }),
  }))
}

/**
 * Counts what all buyers of some products have used in a month that is not closed for them yet, for their seller: per
 * dimension, how many subscriptions have which quantity.
 *
 * @param of.month accounts whose month is closed are left out: their use is on bills already
 */
export async function countProductUsage(
  tx: Transaction,
  of: { readonly segments: readonly Segment[]; readonly month: Month },
): Promise<ProductUsageCount[]> {
  if (of.segments.length === 0) return []
  const rows = await selectProductUsage(tx, of.segments, of.month)
  return rows.map(({ region, environment, instanceType, ...row }) => ({
    ...row,
    dimension: instanceHours({ region, environment, instanceType }),
  }))
}
