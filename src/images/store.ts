/** The SQL of images, their launch permissions, and tags. */
import { empty, join, sql, type Sql, type Transaction } from '../database/database.ts'
import { hasWildcard, likePattern, literalValue, type Filter } from './filter.ts'
import type {
  BlockDeviceMapping,
  DescribedImage,
  Image,
  ImageState,
  RootDeviceType,
  Tag,
  VirtualizationType,
} from './images.ts'

interface ImageRow {
  image_id: string
  owner_account_id: string
  region: string
  name: string
  description: string | null
  architecture: string
  image_location: string
  environment: string
  root_device_type: RootDeviceType
  root_device_name: string | null
  virtualization_type: VirtualizationType
  block_device_mappings: BlockDeviceMapping[]
  state: ImageState
  product_code: string | null
  is_public: boolean
  created_at: Date
}

const imageColumns = sql`image.image_id, image.owner_account_id, image.region, image.name, image.description,
  image.architecture, image.image_location, image.environment, image.root_device_type, image.root_device_name,
  image.virtualization_type, image.block_device_mappings, image.state, image.product_code, image.is_public, image.created_at`

function toImage(row: ImageRow): Image {
  return {
    imageId: row.image_id,
    ownerAccountId: row.owner_account_id,
    region: row.region,
    name: row.name,
    ...(row.description === null ? {} : { description: row.description }),
    architecture: row.architecture,
    imageLocation: row.image_location,
    environment: row.environment,
    ...(row.environment.startsWith('windows') ? { platform: 'windows' as const } : {}),
    rootDeviceType: row.root_device_type,
    ...(row.root_device_name === null ? {} : { rootDeviceName: row.root_device_name }),
    virtualizationType: row.virtualization_type,
    blockDeviceMappings: row.block_device_mappings,
    state: row.state,
    ...(row.product_code === null ? {} : { productCode: row.product_code }),
    isPublic: row.is_public,
    createdAt: row.created_at,
  }
}

/** Whether an account may see and launch an image: its owner, everyone, or explicitly (spec §11). */
function sharedWith(accountId: string): Sql {
  return sql`(image.owner_account_id = ${accountId} or image.is_public or exists (
    select from image_launch_permission permission
     where permission.image_id = image.image_id and permission.account_id = ${accountId}))`
}

/** @returns false when the owner already has an available image of this name in the region */
export async function insertImage(tx: Transaction, image: Image): Promise<boolean> {
  return (
    (await tx.run(sql`insert into image (image_id, owner_account_id, region, name, description, architecture, image_location,
        environment, root_device_type, root_device_name, virtualization_type, block_device_mappings, state, created_at)
      values (${image.imageId}, ${image.ownerAccountId}, ${image.region}, ${image.name}, ${image.description ?? null},
        ${image.architecture}, ${image.imageLocation}, ${image.environment}, ${image.rootDeviceType},
        ${image.rootDeviceName ?? null}, ${image.virtualizationType}, ${JSON.stringify(image.blockDeviceMappings)}::jsonb,
        ${image.state}, ${image.createdAt})
      on conflict (owner_account_id, region, name) where state = 'available' do nothing`)) === 1
  )
}

export async function findImageIdByName(
  tx: Transaction,
  image: { ownerAccountId: string; region: string; name: string },
): Promise<string | undefined> {
  const row = await tx.first<{ image_id: string }>(sql`select image_id from image
    where owner_account_id = ${image.ownerAccountId} and region = ${image.region} and name = ${image.name} and state = 'available'`)
  return row?.image_id
}

export async function readImage(tx: Transaction, imageId: string): Promise<Image | undefined> {
  const row = await tx.first<ImageRow>(sql`select ${imageColumns} from image where image_id = ${imageId}`)
  return row === undefined ? undefined : toImage(row)
}

/** An image and whether the account may launch it. */
export async function readImageFor(
  tx: Transaction,
  imageId: string,
  accountId: string,
): Promise<{ image: Image; shared: boolean } | undefined> {
  const row = await tx.first<ImageRow & { shared: boolean }>(
    sql`select ${imageColumns}, ${sharedWith(accountId)} as shared from image where image_id = ${imageId}`,
  )
  return row === undefined ? undefined : { image: toImage(row), shared: row.shared }
}

/** @returns whether this call took it back */
export async function markDeregistered(tx: Transaction, imageId: string): Promise<boolean> {
  return (
    (await tx.run(
      sql`update image set state = 'deregistered', deregistered_at = ${tx.now} where image_id = ${imageId} and state = 'available'`,
    )) === 1
  )
}

/** Writes the code once: the only statement that ever sets it. @returns whether this call wrote it */
export async function writeProductCode(tx: Transaction, imageId: string, productCode: string): Promise<boolean> {
  return (
    (await tx.run(
      sql`update image set product_code = ${productCode} where image_id = ${imageId} and product_code is null and state = 'available'`,
    )) === 1
  )
}

export async function writeDescription(tx: Transaction, imageId: string, description: string): Promise<void> {
  await tx.run(
    sql`update image set description = ${description === '' ? null : description} where image_id = ${imageId}`,
  )
}

export async function writePublic(tx: Transaction, imageId: string, isPublic: boolean): Promise<void> {
  await tx.run(sql`update image set is_public = ${isPublic} where image_id = ${imageId} and is_public <> ${isPublic}`)
}

export async function addLaunchPermissions(
  tx: Transaction,
  imageId: string,
  accountIds: readonly string[],
): Promise<void> {
  await tx.run(sql`insert into image_launch_permission (image_id, account_id)
    select ${imageId}, id from unnest(${accountIds}::text[]) as id on conflict do nothing`)
}

export async function removeLaunchPermissions(
  tx: Transaction,
  imageId: string,
  accountIds: readonly string[] | 'all',
): Promise<void> {
  const which = accountIds === 'all' ? empty : sql`and account_id = any(${accountIds}::text[])`
  await tx.run(sql`delete from image_launch_permission where image_id = ${imageId} ${which}`)
}

export async function readLaunchPermissions(tx: Transaction, imageId: string): Promise<string[]> {
  const rows = await tx.rows<{ account_id: string }>(
    sql`select account_id from image_launch_permission where image_id = ${imageId} order by account_id`,
  )
  return rows.map((row) => row.account_id)
}

/** Which of the accounts exist. */
export async function existingAccounts(tx: Transaction, accountIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.rows<{ account_id: string }>(
    sql`select account_id from account where account_id = any(${accountIds}::text[])`,
  )
  return new Set(rows.map((row) => row.account_id))
}

/** How each id stands to the account; ids that nobody has are missing. */
export async function imageStanding(
  tx: Transaction,
  query: { imageIds: readonly string[]; region: string; accountId: string },
): Promise<Map<string, 'shared' | 'not-shared'>> {
  const rows = await tx.rows<{ image_id: string; shared: boolean }>(
    sql`select image_id, ${sharedWith(query.accountId)} as shared from image
         where image_id = any(${query.imageIds}::text[]) and region = ${query.region} and state = 'available'`,
  )
  return new Map(rows.map((row) => [row.image_id, row.shared ? 'shared' : 'not-shared']))
}

export interface ImageQuery {
  readonly accountId: string
  readonly region: string
  readonly imageIds?: readonly string[]
  /** Account ids; `self` is already resolved. An empty list matches nothing. */
  readonly owners?: readonly string[]
  /** Account ids, or `all`. An empty list matches nothing. */
  readonly executableBy?: readonly string[]
  readonly filters: readonly Filter[]
  readonly after?: string
  readonly limit: number
}

/** Images the account sees, in the order of their ids. */
export async function selectImages(tx: Transaction, query: ImageQuery): Promise<DescribedImage[]> {
  const conditions: Sql[] = [
    sql`image.region = ${query.region} and image.state = 'available'`,
    sharedWith(query.accountId),
    ...query.filters.map((filter) => imageCondition(filter, query.accountId)),
  ]
  if (query.imageIds !== undefined) conditions.push(sql`image.image_id = any(${query.imageIds}::text[])`)
  if (query.owners !== undefined) conditions.push(sql`image.owner_account_id = any(${query.owners}::text[])`)
  if (query.executableBy !== undefined) conditions.push(executableBy(query.executableBy, query.accountId))
  if (query.after !== undefined) conditions.push(sql`image.image_id > ${query.after}`)
  const rows = await tx.rows<ImageRow & { tags: Tag[] }>(sql`
    select image.*, ${tagsOf(sql`image.image_id`, query.accountId)} as tags
      from (select ${imageColumns} from image where ${join(conditions, ' and ')}
             order by image.image_id limit ${query.limit}) image
     order by image.image_id`)
  return rows.map((row) => ({ ...toImage(row), tags: row.tags }))
}

/** Explicit launch permission of one of these; with whom another owner shared an image besides oneself is not told. */
function executableBy(accountIds: readonly string[], accountId: string): Sql {
  const explicit = sql`exists (select from image_launch_permission permission
    where permission.image_id = image.image_id and permission.account_id = any(${accountIds}::text[])
      and (permission.account_id = ${accountId} or image.owner_account_id = ${accountId}))`
  return accountIds.includes('all') ? sql`(image.is_public or ${explicit})` : explicit
}

const imageFilterColumns: ReadonlyMap<string, Sql> = new Map([
  ['image-id', sql`image.image_id`],
  ['name', sql`image.name`],
  ['description', sql`image.description`],
  ['owner-id', sql`image.owner_account_id`],
  ['is-public', sql`image.is_public::text`],
  ['product-code', sql`image.product_code`],
  ['product-code.type', sql`case when image.product_code is not null then 'devpay' end`],
  ['state', sql`image.state`],
  ['architecture', sql`image.architecture`],
  ['platform', sql`case when image.environment like 'windows%' then 'windows' end`],
  ['root-device-type', sql`image.root_device_type`],
  ['root-device-name', sql`image.root_device_name`],
  ['virtualization-type', sql`image.virtualization_type`],
  ['hypervisor', sql`'xen'`],
  ['image-type', sql`'machine'`],
  ['manifest-location', sql`image.image_location`],
  ['creation-date', instantText(sql`image.created_at`)],
])

/** Names a filter of DescribeImages may have. */
export const imageFilterNames: ReadonlySet<string> = new Set([...imageFilterColumns.keys(), 'tag:', 'tag-key'])

function imageCondition(filter: Filter, accountId: string): Sql {
  const column = imageFilterColumns.get(filter.name)
  return column === undefined ? tagMatches(sql`image.image_id`, accountId, filter) : textMatches(column, filter.values)
}

/** An instant as EC2 writes it, for filters with wildcards over it. */
export function instantText(column: Sql): Sql {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}

/** The condition that a column has one of the values. No values match nothing. */
export function textMatches(column: Sql, values: readonly string[]): Sql {
  const literals = values.filter((value) => !hasWildcard(value)).map(literalValue)
  const patterns = values.filter(hasWildcard).map(likePattern)
  const ways: Sql[] = []
  if (literals.length > 0) ways.push(sql`${column} = any(${literals}::text[])`)
  if (patterns.length > 0) ways.push(sql`${column} like any(${patterns}::text[])`)
  return ways.length === 0 ? sql`false` : sql`(${join(ways, ' or ')})`
}

/** The condition of a `tag:<key>` or `tag-key` filter on a resource, over the tags its describer gave it. */
export function tagMatches(resourceId: Sql, accountId: string, filter: Filter): Sql {
  const wanted =
    filter.name === 'tag-key'
      ? textMatches(sql`tag.key`, filter.values)
      : sql`tag.key = ${filter.name.slice('tag:'.length)} and ${textMatches(sql`tag.value`, filter.values)}`
  return sql`exists (select from tag where tag.account_id = ${accountId} and tag.resource_id = ${resourceId} and ${wanted})`
}

/** A resource's tags as JSON, by key. */
export function tagsOf(resourceId: Sql, accountId: string): Sql {
  return sql`coalesce((select jsonb_agg(jsonb_build_object('key', tag.key, 'value', tag.value) order by tag.key)
    from tag where tag.account_id = ${accountId} and tag.resource_id = ${resourceId}), '[]')`
}
