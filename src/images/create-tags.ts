/** CreateTags: adds tags to resources, or gives tags they have a new value; all of them or none. */
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import type { Tag } from './images.ts'
import { mostTags, writeTags } from './tag-store.ts'
import { requireTaggable, requireTags, tagsPerResourceMax, tooManyTags } from './tags.ts'

/**
 * @throws Fault MissingParameter, InvalidParameter, ImageNotFound, NoLaunchPermission, InstanceNotFound, LimitExceeded (more than
 *   50 tags on a resource)
 */
export async function createTags(
  tx: Transaction,
  request: { caller: Caller; region: string; resourceIds: readonly string[]; tags: readonly Tag[] },
): Promise<void> {
  const { accountId } = request.caller
  requireTags(request.tags)
  const resourceIds = [...new Set(request.resourceIds)]
  await requireTaggable(tx, { accountId, region: request.region, resourceIds })
  await writeTags(tx, { accountId, resourceIds, tags: request.tags })
  // Counted after writing: a key that was there before counts once. Too many rolls the writing back.
  const most = await mostTags(tx, accountId, resourceIds)
  if (most > tagsPerResourceMax) throw tooManyTags(most)
}
