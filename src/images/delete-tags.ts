/** DeleteTags: takes tags off resources. A tag that is not there, or has another value than named, is left as it is. */
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import { removeTags } from './tag-store.ts'
import { requirePlainText } from './plain-text.ts'
import { keyLengthMax, requireTaggable, valueLengthMax } from './tags.ts'

/**
 * @param request.tags keys, each with the value it must have to be taken off, or without; none takes off all
 * @throws Fault InvalidParameter, ImageNotFound, NoLaunchPermission, InstanceNotFound
 */
export async function deleteTags(
  tx: Transaction,
  request: {
    caller: Caller
    region: string
    resourceIds: readonly string[]
    tags: readonly { key: string; value?: string }[]
  },
): Promise<void> {
  const { accountId } = request.caller
  for (const { key, value } of request.tags) {
    requirePlainText('Tag.Key', key, keyLengthMax)
    requirePlainText('Tag.Value', value ?? '', valueLengthMax)
  }
  const resourceIds = [...new Set(request.resourceIds)]
  await requireTaggable(tx, { accountId, region: request.region, resourceIds })
  await removeTags(tx, { accountId, resourceIds, tags: request.tags })
}
