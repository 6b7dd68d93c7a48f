/** DescribeImages: what the caller sees: own images, public ones, and those explicitly shared with the caller. */
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import { requireFilters, type Filter } from './filter.ts'
import { imageNotFound, noLaunchPermission, requireAccountId, requireImageId, type DescribedImage } from './images.ts'
import { pageSize, readPageToken, writePageToken } from './page-token.ts'
import { imageFilterNames, imageStanding, selectImages } from './store.ts'

export interface DescribeImagesRequest {
  readonly caller: Caller
  readonly region: string
  readonly imageIds?: readonly string[]
  /** Account ids or `self`; the aliases `amazon`, `aws-marketplace` and `aws-backup-vault` own nothing here. */
  readonly owners?: readonly string[]
  /** Account ids, `self` or `all`. */
  readonly executableBy?: readonly string[]
  readonly filters?: readonly Filter[]
  readonly maxResults?: number
  readonly nextToken?: string
}

const ownerAliases = new Set(['amazon', 'aws-marketplace', 'aws-backup-vault'])

/**
 * At most 1,000 images an answer, in the order of their ids; `nextToken` is there when more follow.
 *
 * @throws Fault InvalidParameter (ids, filters, owners, token), ImageNotFound (a named id does not exist), NoLaunchPermission (it
 *   is not shared with the caller)
 */
export async function describeImages(
  tx: Transaction,
  request: DescribeImagesRequest,
): Promise<{ images: DescribedImage[]; nextToken?: string }> {
  const { accountId } = request.caller
  const filters = request.filters ?? []
  requireFilters(filters, imageFilterNames)
  const limit = pageSize(request.maxResults)
  const after =
    request.nextToken === undefined ? undefined : String(readPageToken('images', request.nextToken, ['text'])[0])
  const imageIds = nonEmpty(request.imageIds)
  if (imageIds !== undefined) await requireVisible(tx, { imageIds, region: request.region, accountId })
  const owners = nonEmpty(request.owners)?.flatMap((owner) => resolveOwner(owner, accountId))
  const executableBy = nonEmpty(request.executableBy)?.map((who) => (who === 'all' ? who : resolveSelf(who, accountId)))
  const images = await selectImages(tx, {
    accountId,
    region: request.region,
    filters,
    limit: limit + 1,
    ...(imageIds === undefined ? {} : { imageIds }),
    ...(owners === undefined ? {} : { owners }),
    ...(executableBy === undefined ? {} : { executableBy }),
    ...(after === undefined ? {} : { after }),
  })
  const last = images[limit - 1]
  if (images.length <= limit || last === undefined) return { images }
  return { images: images.slice(0, limit), nextToken: writePageToken('images', [last.imageId]) }
}

/** On the wire an absent list and an empty one are the same: no restriction was asked for. */
function nonEmpty(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}

function resolveOwner(owner: string, accountId: string): string[] {
  return ownerAliases.has(owner) ? [] : [resolveSelf(owner, accountId)]
}

function resolveSelf(who: string, accountId: string): string {
  if (who === 'self') return accountId
  requireAccountId(who)
  return who
}

async function requireVisible(
  tx: Transaction,
  query: { imageIds: readonly string[]; region: string; accountId: string },
): Promise<void> {
  for (const imageId of query.imageIds) requireImageId(imageId)
  const standing = await imageStanding(tx, query)
  const unknown = query.imageIds.filter((imageId) => !standing.has(imageId))
  if (unknown.length > 0) throw imageNotFound(unknown)
  const hidden = query.imageIds.filter((imageId) => standing.get(imageId) === 'not-shared')
  if (hidden.length > 0) throw noLaunchPermission(hidden)
}
