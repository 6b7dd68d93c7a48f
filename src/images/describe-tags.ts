/** DescribeTags: every tag the caller made. */
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import { requireFilters, type Filter } from './filter.ts'
import { pageSize, readPageToken, writePageToken } from './page-token.ts'
import { selectTags, tagFilterNames, type DescribedTag } from './tag-store.ts'

/**
 * At most 1,000 tags an answer, by resource and key; `nextToken` is there when more follow.
 *
 * @throws Fault InvalidParameter (filters, token, maxResults)
 */
export async function describeTags(
  tx: Transaction,
  request: { caller: Caller; filters?: readonly Filter[]; maxResults?: number; nextToken?: string },
): Promise<{ tags: DescribedTag[]; nextToken?: string }> {
  const filters = request.filters ?? []
  requireFilters(filters, tagFilterNames)
  const limit = pageSize(request.maxResults)
  const after = request.nextToken === undefined ? undefined : readPageToken('tags', request.nextToken, ['text', 'text'])
  const tags = await selectTags(tx, {
    accountId: request.caller.accountId,
    filters,
    limit: limit + 1,
    ...(after === undefined ? {} : { after: [String(after[0]), String(after[1])] as const }),
  })
  const last = tags[limit - 1]
  if (tags.length <= limit || last === undefined) return { tags }
  return { tags: tags.slice(0, limit), nextToken: writePageToken('tags', [last.resourceId, last.key]) }
}
