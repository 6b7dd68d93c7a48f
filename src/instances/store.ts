/**
 * The SQL that changes instances: launches, transitions with their runs, ends of access. Every row is found by the account that
 * owns it; only a seller's confirmation looks an instance up by its id alone.
 */
import { empty, sql, type Transaction } from '../database/database.ts'
import type { Tag } from '../images/images.ts'
import type { Actor, InstanceState, StateReason } from './instances.ts'

/** Writes the reservation of a client token before anything else. @returns false when the token was used before */
export async function claimClientToken(
  tx: Transaction,
  claim: { accountId: string; reservationId: string; clientToken: string; requestSha256: string },
): Promise<boolean> {
  return (
    (await tx.run(sql`insert into reservation (account_id, reservation_id, client_token, request_sha256, created_at)
      values (${claim.accountId}, ${claim.reservationId}, ${claim.clientToken}, ${claim.requestSha256}, ${tx.now})
      on conflict (account_id, client_token) where client_token is not null do nothing`)) === 1
  )
}

export async function findClientToken(
  tx: Transaction,
  accountId: string,
  clientToken: string,
): Promise<{ reservationId: string; requestSha256: string } | undefined> {
  const row = await tx.first<{ reservation_id: string; request_sha256: string }>(sql`
    select reservation_id, request_sha256 from reservation where account_id = ${accountId} and client_token = ${clientToken}`)
  return row === undefined ? undefined : { reservationId: row.reservation_id, requestSha256: row.request_sha256 }
}

/** Instances that count against the account's limit. */
export async function countActive(tx: Transaction, accountId: string): Promise<number> {
  const row = await tx.one<{ count: number }>(sql`select count(*)::int as count from instance
    where account_id = ${accountId} and state in ('pending', 'running', 'stopping', 'shutting-down')`)
  return row.count
}

/** What is common to the instances of one launch. */
export interface NewReservation {
  readonly accountId: string
  readonly reservationId: string
  /** Whether `claimClientToken` wrote the reservation already. */
  readonly claimed: boolean
  readonly imageId: string
  readonly productCode?: string
  readonly subscriptionId?: string
  readonly region: string
  readonly availabilityZone: string
  readonly environment: string
  readonly instanceType: string
  readonly architecture: string
  readonly keyName?: string
  readonly userData?: string
  readonly securityGroups: readonly string[]
  readonly monitoring: boolean
  readonly shutdownBehavior: 'stop' | 'terminate'
  readonly tags: readonly Tag[]
  /** By launch index. */
  readonly instanceIds: readonly string[]
}

/**
 * Writes a launch in one statement: reservation, instances, first transitions and tags. Addresses begin at 10.0.0.4.
 *
 * @returns the private addresses by launch index
 */
export async function insertLaunch(tx: Transaction, launch: NewReservation): Promise<string[]> {
  const reservation = launch.claimed
    ? empty
    : sql`reserved as (insert into reservation (account_id, reservation_id, created_at)
        values (${launch.accountId}, ${launch.reservationId}, ${tx.now})),`
  const tags =
    launch.tags.length === 0
      ? empty
      : sql`, tagged as (insert into tag (account_id, resource_id, key, value)
          select ${launch.accountId}, launched.instance_id, given.key, given.value from launched
           cross join unnest(${launch.tags.map((tag) => tag.key)}::text[], ${launch.tags.map((tag) => tag.value)}::text[]) as given (key, value))`
  const rows = await tx.rows<{ private_ip: string }>(sql`with ${reservation} launched as (
      insert into instance (account_id, instance_id, reservation_id, launch_index, image_id, product_code, subscription_id,
          region, availability_zone, environment, instance_type, architecture, key_name, user_data, security_groups,
          monitoring, shutdown_behavior, private_ip, state, sequence, launched_at, state_changed_at)
      select ${launch.accountId}, id, ${launch.reservationId}, ordinal - 1, ${launch.imageId}, ${launch.productCode ?? null},
          ${launch.subscriptionId ?? null}, ${launch.region}, ${launch.availabilityZone}, ${launch.environment},
          ${launch.instanceType}, ${launch.architecture}, ${launch.keyName ?? null}, ${launch.userData ?? null},
          ${launch.securityGroups}::text[], ${launch.monitoring}, ${launch.shutdownBehavior},
          '10.0.0.4'::inet + nextval('instance_address') % 16777200, 'pending', 1, ${tx.now}, ${tx.now}
        from unnest(${launch.instanceIds}::text[]) with ordinality as given (id, ordinal)
      returning account_id, instance_id, launch_index, private_ip),
    recorded as (insert into instance_transition (account_id, instance_id, sequence, to_state, reason, actor, at)
      select account_id, instance_id, 1, 'pending', 'launch', ${launch.accountId}, ${tx.now} from launched)
    ${tags}
    select host(private_ip) as private_ip from launched order by launch_index`)
  return rows.map((row) => row.private_ip)
}

/** The part of an instance that requests decide by. */
export interface InstanceStanding {
  readonly instanceId: string
  readonly state: InstanceState
  readonly sequence: number
  readonly productCode?: string
  readonly region: string
  readonly environment: string
  readonly instanceType: string
}

interface StandingRow {
  instance_id: string
  state: InstanceState
  sequence: number
  product_code: string | null
  region: string
  environment: string
  instance_type: string
}

const standingColumns = sql`instance_id, state, sequence, product_code, region, environment, instance_type`

function toStanding(row: StandingRow): InstanceStanding {
  return {
    instanceId: row.instance_id,
    state: row.state,
    sequence: row.sequence,
    ...(row.product_code === null ? {} : { productCode: row.product_code }),
    region: row.region,
    environment: row.environment,
    instanceType: row.instance_type,
  }
}

/** Locks instances of the account, always in the order of their ids, so that two requests over the same ones take turns. */
export async function lockInstances(
  tx: Transaction,
  query: { accountId: string; region?: string; instanceIds: readonly string[] },
): Promise<InstanceStanding[]> {
  const region = query.region === undefined ? empty : sql`and region = ${query.region}`
  const rows = await tx.rows<StandingRow>(sql`select ${standingColumns} from instance
    where account_id = ${query.accountId} ${region} and instance_id = any(${query.instanceIds}::text[])
    order by instance_id for update`)
  return rows.map(toStanding)
}

/** One change of state: from what must be there to what shall be. */
export interface Transition {
  readonly instanceId: string
  readonly from: InstanceState
  readonly sequence: number
  readonly to: InstanceState
  /** Only when an instance is started: what its next run is billed under. */
  readonly subscriptionId?: string | null
}

/** Instances of one account that change their state together, for one reason. */
export interface TransitionChange {
  readonly accountId: string
  readonly transitions: readonly Transition[]
  readonly actor: Actor
  /** For the history. */
  readonly reason: string
  /** What the instances show; null clears it, left out keeps it. */
  readonly stateReason?: StateReason | null
}

/**
 * The one statement that changes the state of instances: compare-and-set on state and sequence, its row of the history, and the
 * run that it ends or begins. An instant never lies before the change before it, whichever server's clock was ahead.
 *
 * @returns ids and new sequences of the instances that were in the state expected
 */
export async function writeTransitions(
  tx: Transaction,
  write: TransitionChange,
): Promise<{ instanceId: string; sequence: number }[]> {
  const { transitions } = write
  const shown =
    write.stateReason === undefined ? sql`instance.state_reason` : sql`${write.stateReason?.message ?? null}`
  const started = transitions.some((transition) => transition.subscriptionId !== undefined)
  const start = started
    ? sql`, subscription_id = wanted.subscription_id, launched_at = greatest(${tx.now}, instance.state_changed_at)`
    : empty
  const rows = await tx.rows<{ instance_id: string; sequence: number }>(sql`with wanted as (
      select * from unnest(${transitions.map((one) => one.instanceId)}::text[], ${transitions.map((one) => one.from)}::text[],
        ${transitions.map((one) => one.sequence)}::int[], ${transitions.map((one) => one.to)}::text[],
        ${transitions.map((one) => one.subscriptionId ?? null)}::uuid[])
        as one (instance_id, from_state, sequence, to_state, subscription_id)),
    changed as (update instance
        set state = wanted.to_state, sequence = instance.sequence + 1, state_reason = ${shown},
            state_changed_at = greatest(${tx.now}, instance.state_changed_at) ${start}
       from wanted
      where instance.account_id = ${write.accountId} and instance.instance_id = wanted.instance_id
        and instance.state = wanted.from_state and instance.sequence = wanted.sequence
      returning instance.*, wanted.from_state),
    recorded as (insert into instance_transition (account_id, instance_id, sequence, from_state, to_state, reason, actor, at)
      select account_id, instance_id, sequence, from_state, state, ${write.reason}, ${write.actor}, state_changed_at from changed),
    ended as (update instance_run run set ended_at = changed.state_changed_at from changed
      where changed.from_state = 'running' and run.account_id = ${write.accountId}
        and run.instance_id = changed.instance_id and run.ended_at is null),
    begun as (insert into instance_run (account_id, instance_id, run_number, product_code, subscription_id, region,
        environment, instance_type, started_at)
      select account_id, instance_id, 1 + coalesce((select max(run_number) from instance_run run
            where run.account_id = ${write.accountId} and run.instance_id = changed.instance_id), 0),
          product_code, subscription_id, region, environment, instance_type, state_changed_at
        from changed where state = 'running')
    select instance_id, sequence from changed order by instance_id`)
  return rows.map((row) => ({ instanceId: row.instance_id, sequence: row.sequence }))
}

/** Whose an instance is and what it runs, by its id alone: for the seller of its product, who does not know its owner. */
export async function findInstanceAnywhere(
  tx: Transaction,
  instanceId: string,
): Promise<{ accountId: string; region: string; state: InstanceState; productCode?: string } | undefined> {
  const row = await tx.first<{ account_id: string; region: string; state: InstanceState; product_code: string | null }>(
    sql`select account_id, region, state, product_code from instance where instance_id = ${instanceId}`,
  )
  if (row === undefined) return undefined
  return {
    accountId: row.account_id,
    region: row.region,
    state: row.state,
    ...(row.product_code === null ? {} : { productCode: row.product_code }),
  }
}

/** An ended subscription whose end-of-access policy has to act. */
export interface EndOfAccess {
  readonly accountId: string
  readonly subscriptionId: string
  readonly productCode: string
  readonly dueAt: Date
}

/** The earliest instant an end of access is due. */
export async function earliestEndOfAccess(tx: Transaction): Promise<Date | undefined> {
  const row = await tx.one<{ at: Date | null }>(
    sql`select min(end_of_access_due_at) as at from subscription where end_of_access_due_at is not null`,
  )
  return row.at ?? undefined
}

/** Ends of access that have come, the earliest first. */
export async function dueEndsOfAccess(tx: Transaction, limit: number): Promise<EndOfAccess[]> {
  const rows = await tx.rows<{ account_id: string; subscription_id: string; product_code: string; due_at: Date }>(sql`
    select account_id, subscription_id, product_code, end_of_access_due_at as due_at from subscription
     where end_of_access_due_at <= ${tx.now} order by end_of_access_due_at limit ${limit}`)
  return rows.map((row) => ({
    accountId: row.account_id,
    subscriptionId: row.subscription_id,
    productCode: row.product_code,
    dueAt: row.due_at,
  }))
}

/** Takes the instant off a subscription, if it is still the one that was found. */
export async function clearEndOfAccess(tx: Transaction, end: EndOfAccess): Promise<boolean> {
  return (
    (await tx.run(sql`update subscription set end_of_access_due_at = null
      where account_id = ${end.accountId} and subscription_id = ${end.subscriptionId} and end_of_access_due_at <= ${tx.now}`)) ===
    1
  )
}

/** Locks instances under a subscription that are in one of the states: a page of them. */
export async function instancesUnder(
  tx: Transaction,
  query: { accountId: string; subscriptionId: string; states: readonly InstanceState[]; limit: number },
): Promise<string[]> {
  const rows = await tx.rows<{ instance_id: string }>(sql`select instance_id from instance
    where account_id = ${query.accountId} and subscription_id = ${query.subscriptionId} and state <> 'terminated'
      and state = any(${query.states}::text[]) order by instance_id limit ${query.limit} for update`)
  return rows.map((row) => row.instance_id)
}
