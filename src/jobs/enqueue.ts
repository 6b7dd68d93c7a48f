/**
 * Follow-up work, written in the transaction of the fact it follows. A later room hears of an earlier one this way and
 * no other.
 */
import { assert } from '../base/assert.ts'
import { sql, type Transaction } from '../database/database.ts'
import { wakeWorkers } from './wake-workers.ts'

/** Every task with its payload. Handlers are bound to these names in `src/main.ts`. */
export interface TaskPayloads {
  /** Hand a written mail to the mail server. */
  'mail.send': { readonly mailId: string }
  /** Let the compute driver finish the state change an instance is in the middle of. */
  'instance.advance': { readonly accountId: string; readonly instanceId: string; readonly sequence: number }
  /** Vet the card of a placed order and collect its initial charge. */
  'order.vet': { readonly accountId: string; readonly subscriptionId: string }
  /** Ask the processor for a started attempt to collect an invoice, and settle it. */
  'invoice.collect': { readonly accountId: string; readonly invoiceId: string; readonly attemptNumber: number }
  /** Give back the unused part of a charge that was collected after its subscription was cancelled. */
  'subscription.refund': { readonly accountId: string; readonly subscriptionId: string }
  /** Return money at the processor. */
  'refund.pay': { readonly accountId: string; readonly refundId: string }
  /** Send a started payout to the seller. */
  'payout.send': { readonly sellerAccountId: string; readonly payoutNumber: number }
  /** Apply one event of the processor. */
  'processor.event': { readonly eventId: string; readonly body: string }
}

export type TaskName = keyof TaskPayloads

/** Tries of a failing task, over about three days with the library's exponential back-off. */
const attemptsMax = 20

/**
 * Adds a task to this transaction: it exists when the transaction commits and never otherwise. It may run more than once
 * and must bear that.
 *
 * @param key tasks under one key that have not run yet are one task
 */
export async function enqueue<Name extends TaskName>(
  tx: Transaction,
  name: Name,
  payload: TaskPayloads[Name],
  key?: string,
): Promise<void> {
  if (key === undefined) return await enqueueAll(tx, name, [payload])
  await tx.run(
    sql`select graphile_worker.add_job(${name}, ${JSON.stringify(payload)}::json, max_attempts => ${attemptsMax}::int, job_key => ${key}::text)`,
  )
}

/**
 * Adds a task of one kind for each payload, in one statement. The same promises as `enqueue`.
 *
 * Writes the rows that the library's `add_jobs` would write, without the NOTIFY inside (wake-workers.ts).
 */
export async function enqueueAll<Name extends TaskName>(
  tx: Transaction,
  name: Name,
  payloads: readonly TaskPayloads[Name][],
): Promise<void> {
  if (payloads.length === 0) return
  const insert = sql`
    insert into graphile_worker._private_jobs (task_id, payload, max_attempts)
    select task.id, payload, ${attemptsMax}::smallint
    from graphile_worker._private_tasks task, json_array_elements(${JSON.stringify(payloads)}::json) as payload
    where task.identifier = ${name}`
  let added = await tx.run(insert)
  if (added === 0) {
    // The first task of its kind, before any worker has run.
    await tx.run(sql`insert into graphile_worker._private_tasks (identifier) values (${name}) on conflict do nothing`)
    added = await tx.run(insert)
  }
  assert(added === payloads.length, `every task ${name} is added`)
  tx.afterCommit((database) => wakeWorkers(database, added))
}
