/** The SQL that shows instances: whole rows with their tags, by id, by reservation, or by filters. */
import { join, sql, type Sql, type Transaction } from '../database/database.ts'
import type { Filter } from '../images/filter.ts'
import type { RootDeviceType, Tag, VirtualizationType } from '../images/images.ts'
import { instantText, tagMatches, tagsOf, textMatches } from '../images/store.ts'
import { privateDnsName, type Instance, type InstanceState, type Reservation } from './instances.ts'

interface InstanceRow {
  account_id: string
  instance_id: string
  reservation_id: string
  launch_index: number
  image_id: string
  product_code: string | null
  subscription_id: string | null
  region: string
  availability_zone: string
  environment: string
  instance_type: string
  architecture: string
  key_name: string | null
  user_data: string | null
  security_groups: string[]
  monitoring: boolean
  shutdown_behavior: 'stop' | 'terminate'
  private_ip: string
  state: InstanceState
  state_reason: string | null
  sequence: number
  launched_at: Date
  state_changed_at: Date
  client_token: string | null
  root_device_type: RootDeviceType
  root_device_name: string | null
  virtualization_type: VirtualizationType
  tags: Tag[]
}

function toInstance(row: InstanceRow): Instance {
  const code = row.state_reason?.split(':', 1)[0]
  return {
    instanceId: row.instance_id,
    ownerAccountId: row.account_id,
    reservationId: row.reservation_id,
    launchIndex: row.launch_index,
    imageId: row.image_id,
    ...(row.product_code === null ? {} : { productCode: row.product_code }),
    ...(row.subscription_id === null ? {} : { subscriptionId: row.subscription_id }),
    region: row.region,
    availabilityZone: row.availability_zone,
    environment: row.environment,
    ...(row.environment.startsWith('windows') ? { platform: 'windows' as const } : {}),
    instanceType: row.instance_type,
    architecture: row.architecture,
    ...(row.key_name === null ? {} : { keyName: row.key_name }),
    ...(row.user_data === null ? {} : { userData: row.user_data }),
    securityGroups: row.security_groups,
    monitoring: row.monitoring,
    shutdownBehavior: row.shutdown_behavior,
    privateIpAddress: row.private_ip,
    privateDnsName: privateDnsName(row.private_ip, row.region),
    state: row.state,
    ...(code === undefined || row.state_reason === null ? {} : { stateReason: { code, message: row.state_reason } }),
    stateTransitionReason: transitionReason(code, row.state_changed_at),
    sequence: row.sequence,
    launchedAt: row.launched_at,
    stateChangedAt: row.state_changed_at,
    rootDeviceType: row.root_device_type,
    ...(row.root_device_name === null ? {} : { rootDeviceName: row.root_device_name }),
    virtualizationType: row.virtualization_type,
    tags: row.tags,
  }
}

function transitionReason(code: string | undefined, at: Date): string {
  if (code === undefined) return ''
  const who = code.startsWith('Client.') ? 'User' : 'Service'
  return `${who} initiated (${at.toISOString().slice(0, 19).replace('T', ' ')} GMT)`
}

/** One reservation's worth of rows, in the order they came. */
function toReservations(rows: readonly InstanceRow[]): Reservation[] {
  const byId = new Map<string, Reservation & { instances: Instance[] }>()
  for (const row of rows) {
    let reservation = byId.get(row.reservation_id)
    if (reservation === undefined) {
      reservation = {
        reservationId: row.reservation_id,
        ownerAccountId: row.account_id,
        ...(row.client_token === null ? {} : { clientToken: row.client_token }),
        instances: [],
      }
      byId.set(row.reservation_id, reservation)
    }
    reservation.instances.push(toInstance(row))
  }
  return [...byId.values()]
}

/**
 * Everything of instances that is shown, for the rows that `chosen` picks from `instance`. What belongs to the rows is joined to the
 * picked page only: joined inside, a page late in the list would read all reservations before it.
 */
function instanceRows(accountId: string, chosen: Sql): Sql {
  return sql`select page.*, host(page.private_ip) as private_ip, reservation.client_token, image.root_device_type,
      image.root_device_name, image.virtualization_type, ${tagsOf(sql`page.instance_id`, accountId)} as tags
    from (select * from instance where instance.account_id = ${accountId} ${chosen}) page
    join reservation on reservation.account_id = ${accountId} and reservation.reservation_id = page.reservation_id
    join image using (image_id)
   order by page.reservation_id, page.launch_index`
}

/** A whole reservation as it is now, terminated instances and all. */
export async function readReservation(
  tx: Transaction,
  query: { accountId: string; region: string; reservationId: string },
): Promise<Reservation | undefined> {
  const rows = await tx.rows<InstanceRow>(
    instanceRows(
      query.accountId,
      sql`and instance.region = ${query.region} and instance.reservation_id = ${query.reservationId}`,
    ),
  )
  return toReservations(rows)[0]
}

/** One instance of an account, whatever its state and region. */
export async function readInstance(
  tx: Transaction,
  accountId: string,
  instanceId: string,
): Promise<Instance | undefined> {
  const [row] = await tx.rows<InstanceRow>(instanceRows(accountId, sql`and instance.instance_id = ${instanceId}`))
  return row === undefined ? undefined : toInstance(row)
}

/** Terminated instances are shown for an hour, as EC2's. */
function isShown(now: Date): Sql {
  return sql`(instance.state <> 'terminated' or instance.state_changed_at > ${now}::timestamptz - interval '1 hour')`
}

/** Which of the ids the account would be shown. */
export async function shownInstances(
  tx: Transaction,
  query: { accountId: string; region: string; instanceIds: readonly string[] },
): Promise<Set<string>> {
  const rows = await tx.rows<{ instance_id: string }>(sql`select instance_id from instance
    where account_id = ${query.accountId} and region = ${query.region}
      and instance_id = any(${query.instanceIds}::text[]) and ${isShown(tx.now)}`)
  return new Set(rows.map((row) => row.instance_id))
}

export interface InstanceQuery {
  readonly accountId: string
  readonly region: string
  readonly instanceIds?: readonly string[]
  readonly filters: readonly Filter[]
  /** Reservation and launch index of the last instance of the page before. */
  readonly after?: readonly [string, number]
  readonly limit: number
}

/** Instances of the account by reservation and launch index. */
export async function selectInstances(tx: Transaction, query: InstanceQuery): Promise<Reservation[]> {
  const conditions: Sql[] = [
    sql`instance.region = ${query.region}`,
    isShown(tx.now),
    ...query.filters.map((filter) => instanceCondition(filter, query.accountId)),
  ]
  if (query.instanceIds !== undefined) conditions.push(sql`instance.instance_id = any(${query.instanceIds}::text[])`)
  if (query.after !== undefined) {
    conditions.push(sql`(instance.reservation_id, instance.launch_index) > (${query.after[0]}, ${query.after[1]}::int)`)
  }
  const chosen = sql`and ${join(conditions, ' and ')} order by instance.reservation_id, instance.launch_index limit ${query.limit}`
  return toReservations(await tx.rows<InstanceRow>(instanceRows(query.accountId, chosen)))
}

const stateCodeOfState = sql`case instance.state when 'pending' then '0' when 'running' then '16' when 'shutting-down' then '32'
  when 'terminated' then '48' when 'stopping' then '64' else '80' end`

const instanceFilterColumns: ReadonlyMap<string, Sql> = new Map([
  ['instance-id', sql`instance.instance_id`],
  ['image-id', sql`instance.image_id`],
  ['instance-state-name', sql`instance.state`],
  ['instance-state-code', stateCodeOfState],
  ['instance-type', sql`instance.instance_type`],
  ['product-code', sql`instance.product_code`],
  ['product-code.type', sql`case when instance.product_code is not null then 'devpay' end`],
  ['reservation-id', sql`instance.reservation_id`],
  ['availability-zone', sql`instance.availability_zone`],
  ['launch-time', instantText(sql`instance.launched_at`)],
  ['launch-index', sql`instance.launch_index::text`],
  ['private-ip-address', sql`host(instance.private_ip)`],
  [
    'private-dns-name',
    sql`'ip-' || replace(host(instance.private_ip), '.', '-') || '.' || instance.region || '.compute.internal'`,
  ],
  ['owner-id', sql`instance.account_id`],
  ['requester-id', sql`instance.account_id`],
  ['architecture', sql`instance.architecture`],
  ['platform', sql`case when instance.environment like 'windows%' then 'windows' end`],
  ['key-name', sql`instance.key_name`],
  [
    'client-token',
    sql`(select client_token from reservation where reservation.account_id = instance.account_id
      and reservation.reservation_id = instance.reservation_id)`,
  ],
  ['monitoring-state', sql`case when instance.monitoring then 'enabled' else 'disabled' end`],
  ['state-reason-code', sql`split_part(instance.state_reason, ':', 1)`],
])

/** Names a filter of DescribeInstances may have. */
export const instanceFilterNames: ReadonlySet<string> = new Set([
  ...instanceFilterColumns.keys(),
  'group-name',
  'tag:',
  'tag-key',
])

function instanceCondition(filter: Filter, accountId: string): Sql {
  if (filter.name === 'group-name') {
    return sql`exists (select from unnest(instance.security_groups) as security_group where ${textMatches(sql`security_group`, filter.values)})`
  }
  const column = instanceFilterColumns.get(filter.name)
  return column === undefined
    ? tagMatches(sql`instance.instance_id`, accountId, filter)
    : textMatches(column, filter.values)
}
