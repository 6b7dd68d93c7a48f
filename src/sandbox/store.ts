/** The sandbox's only SQL. Objects are read and written whole, as their wire shows them. */
import { empty, join, raw, sql, type Sql, type Transaction } from '../database/database.ts'
import type { Kind, SandboxObjects } from './sandbox.ts'

export interface Stored<K extends Kind> {
  readonly data: SandboxObjects[K]
  /** Payment methods only: how the test card behaves. */
  readonly behaviour: string | null
}

export async function insertObject<K extends Kind>(
  tx: Transaction,
  kind: K,
  data: SandboxObjects[K],
  behaviour: string | null = null,
): Promise<void> {
  await tx.run(sql`
    insert into sandbox.object (object_id, kind, data, behaviour, created_at)
    values (${data.id}, ${kind}, ${JSON.stringify(data)}::json, ${behaviour}, ${tx.now})`)
}

/** Writes an object anew; its caller holds the row's lock. */
export async function replaceObject(tx: Transaction, data: SandboxObjects[Kind]): Promise<void> {
  await tx.run(sql`update sandbox.object set data = ${JSON.stringify(data)}::json where object_id = ${data.id}`)
}

export async function findObject<K extends Kind>(tx: Transaction, kind: K, id: string): Promise<Stored<K> | undefined> {
  return await selectObject(tx, kind, id, empty)
}

/** Finds an object and keeps others from changing it until the transaction ends. */
export async function lockObject<K extends Kind>(tx: Transaction, kind: K, id: string): Promise<Stored<K> | undefined> {
  return await selectObject(tx, kind, id, sql`for update`)
}

async function selectObject<K extends Kind>(
  tx: Transaction,
  kind: K,
  id: string,
  lock: Sql,
): Promise<Stored<K> | undefined> {
  // A path may hold a NUL, which PostgreSQL takes in no text and no id has.
  if (id.includes('\0')) return undefined
  return await tx.first<{ data: SandboxObjects[K]; behaviour: string | null }>(
    sql`select data, behaviour from sandbox.object where object_id = ${id} and kind = ${kind} ${lock}`,
  )
}

/** An object of whatever kind, to be shown in place of its id. */
export async function findAny(tx: Transaction, id: string): Promise<object | undefined> {
  return (await tx.first<{ data: object }>(sql`select data from sandbox.object where object_id = ${id}`))?.data
}

export interface Page {
  readonly limit: number
  /** Ids of the object the page starts after, or ends before. */
  readonly startingAfter?: string | undefined
  readonly endingBefore?: string | undefined
  /** Comparisons with the instant of creation, whole seconds. */
  readonly created: readonly { readonly operator: '>' | '>=' | '<' | '<=' | '='; readonly seconds: number }[]
  /** Fields that must have one of these values. */
  readonly where: readonly { readonly field: string; readonly values: readonly string[] }[]
}

/**
 * Objects of a kind, the newest first.
 *
 * @returns one more than the limit when there are more; undefined when a cursor names no object of the kind
 */
export async function listObjects<K extends Kind>(
  tx: Transaction,
  kind: K,
  page: Page,
): Promise<SandboxObjects[K][] | undefined> {
  const cursor = page.startingAfter ?? page.endingBefore
  let within = empty
  const backwards = page.startingAfter === undefined && page.endingBefore !== undefined
  if (cursor !== undefined) {
    const at = await tx.first<{ ordinal: bigint }>(
      sql`select ordinal from sandbox.object where object_id = ${cursor} and kind = ${kind}`,
    )
    if (at === undefined) return undefined
    within = backwards ? sql`and ordinal > ${at.ordinal}` : sql`and ordinal < ${at.ordinal}`
  }
  const conditions = [
    ...page.where.map(({ field, values }) => sql`and data ->> ${raw(quoted(field))} in (${join([...values])})`),
    ...page.created.map(
      ({ operator, seconds }) =>
        sql`and floor(extract(epoch from created_at)) ${raw(operator)} ${seconds}::double precision`,
    ),
  ]
  const rows = await tx.rows<{ data: SandboxObjects[K] }>(sql`
    select data from sandbox.object
    where kind = ${kind} ${within} ${conditions.length === 0 ? empty : join(conditions, ' ')}
    order by ordinal ${raw(backwards ? 'asc' : 'desc')} limit ${page.limit + 1}`)
  const found = rows.map((row) => row.data)
  // Read backwards, the one too many is the newest: what remains lies right before the cursor.
  return backwards ? [...found.slice(0, page.limit).reverse(), ...found.slice(page.limit)] : found
}

/** A literal, so that the expression index on the field is used. Field names are ours, never a caller's. */
function quoted(field: string): string {
  if (!/^[a-z_]+$/.test(field)) throw new Error(`"${field}" is not a field`)
  return `'${field}'`
}

export interface SavedAnswer {
  readonly requestSha256: string
  readonly status: number
  readonly body: string
}

/** Keeps the key for this transaction; false when another transaction is at it. */
export async function lockKey(tx: Transaction, key: string): Promise<boolean> {
  const row = await tx.one<{ locked: boolean }>(
    sql`select pg_try_advisory_xact_lock(hashtextextended(${`sandbox key ${key}`}, 0)) as locked`,
  )
  return row.locked
}

export async function findAnswer(tx: Transaction, key: string): Promise<SavedAnswer | undefined> {
  return await tx.first<{ requestSha256: string; status: number; body: string }>(
    sql`select request_sha256 as "requestSha256", status, body from sandbox.idempotency where key = ${key}`,
  )
}

export async function saveAnswer(tx: Transaction, key: string, answer: SavedAnswer): Promise<void> {
  await tx.run(sql`
    insert into sandbox.idempotency (key, request_sha256, status, body, created_at)
    values (${key}, ${answer.requestSha256}, ${answer.status}, ${answer.body}, ${tx.now})`)
}

/** @param amount minor units: positive comes in, negative goes out */
export async function addBalanceEntry(
  tx: Transaction,
  entry: { sourceId: string; currency: string; amount: bigint },
): Promise<void> {
  await tx.run(sql`
    insert into sandbox.balance_entry (source_id, currency, amount, created_at)
    values (${entry.sourceId}, ${entry.currency}, ${entry.amount}, ${tx.now})`)
}

export async function readBalances(tx: Transaction): Promise<{ currency: string; amount: bigint }[]> {
  return await tx.rows<{ currency: string; amount: bigint }>(
    sql`select currency, sum(amount)::bigint as amount from sandbox.balance_entry group by currency order by currency`,
  )
}

/** The balance in a currency, kept from being spent by another transaction until this one ends. */
export async function lockBalance(tx: Transaction, currency: string): Promise<bigint> {
  await tx.rows(sql`select pg_advisory_xact_lock(hashtextextended(${`sandbox balance ${currency}`}, 0))`)
  const row = await tx.one<{ amount: bigint }>(
    sql`select coalesce(sum(amount), 0)::bigint as amount from sandbox.balance_entry where currency = ${currency}`,
  )
  return row.amount
}

export async function insertDelivery(tx: Transaction, eventId: string): Promise<void> {
  await tx.run(sql`insert into sandbox.webhook_delivery (event_id) values (${eventId})`)
}

export interface PendingDelivery {
  readonly ordinal: bigint
  /** How often it was tried before. */
  readonly attempts: number
  readonly event: SandboxObjects['event']
}

/** Undelivered events in the order they happened. */
export async function pendingDeliveries(
  tx: Transaction,
  request: { after: bigint; limit: number; untriedOnly: boolean },
): Promise<PendingDelivery[]> {
  return await tx.rows<{ ordinal: bigint; attempts: number; event: SandboxObjects['event'] }>(sql`
    select delivery.ordinal, attempts, object.data as event
    from sandbox.webhook_delivery as delivery join sandbox.object on object_id = event_id
    where delivered_at is null and delivery.ordinal > ${request.after}
      ${request.untriedOnly ? sql`and attempts = 0` : empty}
    order by delivery.ordinal limit ${request.limit}`)
}

/** @param error undefined when the receiver took the event */
export async function recordAttempt(tx: Transaction, eventId: string, error: string | undefined): Promise<void> {
  await tx.run(sql`
    update sandbox.webhook_delivery
    set attempts = attempts + 1, last_error = ${error ?? null},
      delivered_at = ${error === undefined ? tx.now : null}::timestamptz
    where event_id = ${eventId} and delivered_at is null`)
}

/** How often the delivery of an event was tried, and how that ended. */
export async function findDelivery(
  tx: Transaction,
  eventId: string,
): Promise<{ deliveredAt: Date | null; attempts: number; lastError: string | null } | undefined> {
  return await tx.first<{ deliveredAt: Date | null; attempts: number; lastError: string | null }>(sql`
    select delivered_at as "deliveredAt", attempts, last_error as "lastError"
    from sandbox.webhook_delivery where event_id = ${eventId}`)
}
