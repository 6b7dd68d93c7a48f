/** DescribeInstances: the caller's own instances in a region, by id or by filters, in pages. */
import type { Caller } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { requireFilters, type Filter } from '../images/filter.ts'
import { pageSize, readPageToken, writePageToken } from '../images/page-token.ts'
import { instanceFilterNames, selectInstances, shownInstances } from './describe-store.ts'
import { instanceNotFound, requireInstanceIds, type Reservation } from './instances.ts'

export interface DescribeInstancesRequest {
  readonly caller: Caller
  readonly region: string
  readonly instanceIds?: readonly string[]
  readonly filters?: readonly Filter[]
  /** Instances, 5 to 1,000; not together with ids. */
  readonly maxResults?: number
  readonly nextToken?: string
}

/** EC2 refuses smaller pages. */
const pageRowsMin = 5

/**
 * At most 1,000 instances an answer, by reservation; `nextToken` is there when more follow, and a reservation may go on on
 * the next page. Terminated instances are shown for an hour.
 *
 * @throws Fault InvalidParameter (ids, filters, page), InstanceNotFound (a named id is unknown or another account's)
 */
export async function describeInstances(
  tx: Transaction,
  request: DescribeInstancesRequest,
): Promise<{ reservations: Reservation[]; nextToken?: string }> {
  const { region } = request
  const { accountId } = request.caller
  const filters = request.filters ?? []
  requireFilters(filters, instanceFilterNames)
  const limit = pageSize(request.maxResults, pageRowsMin)
  const instanceIds =
    request.instanceIds === undefined || request.instanceIds.length === 0 ? undefined : request.instanceIds
  if (instanceIds !== undefined) await requireShown(tx, request, instanceIds)
  const after = request.nextToken === undefined ? undefined : readAfter(request.nextToken)
  const reservations = await selectInstances(tx, {
    accountId,
    region,
    filters,
    limit: limit + 1,
    ...(instanceIds === undefined ? {} : { instanceIds }),
    ...(after === undefined ? {} : { after }),
  })
  return cut(reservations, limit)
}

/** Takes the row beyond the page off again; it was read to know that there is a next page. */
function cut(reservations: Reservation[], limit: number): { reservations: Reservation[]; nextToken?: string } {
  const rows = reservations.reduce((count, reservation) => count + reservation.instances.length, 0)
  const last = reservations.at(-1)
  if (rows <= limit || last === undefined) return { reservations }
  const shorter = { ...last, instances: last.instances.slice(0, -1) }
  const kept = shorter.instances.length === 0 ? reservations.slice(0, -1) : [...reservations.slice(0, -1), shorter]
  const end = kept.at(-1)?.instances.at(-1)
  if (end === undefined) return { reservations: kept }
  return { reservations: kept, nextToken: writePageToken('instances', [end.reservationId, end.launchIndex]) }
}

function readAfter(token: string): readonly [string, number] {
  const [reservationId, launchIndex] = readPageToken('instances', token, ['text', 'integer'])
  return [String(reservationId), Number(launchIndex)]
}

async function requireShown(
  tx: Transaction,
  request: DescribeInstancesRequest,
  instanceIds: readonly string[],
): Promise<void> {
  requireInstanceIds(instanceIds)
  if (request.maxResults !== undefined || request.nextToken !== undefined) {
    throw new Fault(
      'InvalidParameter',
      'The parameter instancesSet cannot be used with the parameters maxResults and nextToken.',
      {
        data: { ec2Code: 'InvalidParameterCombination', parameter: 'InstanceId' },
      },
    )
  }
  const shown = await shownInstances(tx, { accountId: request.caller.accountId, region: request.region, instanceIds })
  const unknown = instanceIds.filter((instanceId) => !shown.has(instanceId))
  if (unknown.length > 0) throw instanceNotFound(unknown)
}
