/** The SQL of tags. Apart from `store.ts` since tags are of anything, images being one kind. */
import { empty, join, sql, type Sql, type Transaction } from '../database/database.ts'
import type { Filter } from './filter.ts'
import type { Tag } from './images.ts'
import { textMatches } from './store.ts'

export interface DescribedTag extends Tag {
  readonly resourceId: string
  readonly resourceType: 'image' | 'instance'
}

/** Adds tags, or gives them their new values. */
export async function writeTags(
  tx: Transaction,
  write: { accountId: string; resourceIds: readonly string[]; tags: readonly Tag[] },
): Promise<void> {
  await tx.run(sql`insert into tag (account_id, resource_id, key, value)
    select ${write.accountId}, resource.id, given.key, given.value
      from unnest(${write.resourceIds}::text[]) as resource (id)
     cross join unnest(${write.tags.map((tag) => tag.key)}::text[], ${write.tags.map((tag) => tag.value)}::text[]) as given (key, value)
     order by resource.id, given.key
    on conflict (account_id, resource_id, key) do update set value = excluded.value`)
}

/** Removes tags: those of a key, or of a key and value, or (without any) all. */
export async function removeTags(
  tx: Transaction,
  removal: { accountId: string; resourceIds: readonly string[]; tags: readonly { key: string; value?: string }[] },
): Promise<void> {
  const chosen =
    removal.tags.length === 0
      ? empty
      : sql`and (${join(
          removal.tags.map(({ key, value }) =>
            value === undefined ? sql`key = ${key}` : sql`(key = ${key} and value = ${value})`,
          ),
          ' or ',
        )})`
  await tx.run(
    sql`delete from tag where account_id = ${removal.accountId} and resource_id = any(${removal.resourceIds}::text[]) ${chosen}`,
  )
}

/** The most tags any of the resources has. */
export async function mostTags(tx: Transaction, accountId: string, resourceIds: readonly string[]): Promise<number> {
  const row = await tx.first<{ count: number }>(sql`select count(*)::int as count from tag
    where account_id = ${accountId} and resource_id = any(${resourceIds}::text[])
    group by resource_id order by count desc limit 1`)
  return row?.count ?? 0
}

/** Which of the ids are instances of the account. Read here, since tags are an earlier room than instances. */
export async function ownInstances(
  tx: Transaction,
  query: { accountId: string; region: string; instanceIds: readonly string[] },
): Promise<Set<string>> {
  const rows = await tx.rows<{ instance_id: string }>(sql`select instance_id from instance
    where account_id = ${query.accountId} and region = ${query.region} and instance_id = any(${query.instanceIds}::text[])`)
  return new Set(rows.map((row) => row.instance_id))
}

const resourceType = sql`case when tag.resource_id like 'ami-%' then 'image' else 'instance' end`

const tagFilterColumns: ReadonlyMap<string, Sql> = new Map([
  ['key', sql`tag.key`],
  ['value', sql`tag.value`],
  ['resource-id', sql`tag.resource_id`],
  ['resource-type', resourceType],
])

/** Names a filter of DescribeTags may have. */
export const tagFilterNames: ReadonlySet<string> = new Set([...tagFilterColumns.keys(), 'tag:'])

export async function selectTags(
  tx: Transaction,
  query: { accountId: string; filters: readonly Filter[]; after?: readonly [string, string]; limit: number },
): Promise<DescribedTag[]> {
  const conditions = [sql`tag.account_id = ${query.accountId}`]
  for (const { name, values } of query.filters) {
    const column = tagFilterColumns.get(name)
    conditions.push(
      column === undefined
        ? sql`tag.key = ${name.slice('tag:'.length)} and ${textMatches(sql`tag.value`, values)}`
        : textMatches(column, values),
    )
  }
  if (query.after !== undefined) {
    conditions.push(sql`(tag.resource_id, tag.key) > (${query.after[0]}, ${query.after[1]})`)
  }
  const rows = await tx.rows<{ resource_id: string; resource_type: 'image' | 'instance'; key: string; value: string }>(
    sql`select tag.resource_id, ${resourceType} as resource_type, tag.key, tag.value from tag
         where ${join(conditions, ' and ')} order by tag.resource_id, tag.key limit ${query.limit}`,
  )
  return rows.map((row) => ({
    resourceId: row.resource_id,
    resourceType: row.resource_type,
    key: row.key,
    value: row.value,
  }))
}
