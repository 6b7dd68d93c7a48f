/**
 * Follow-up work, written in the transaction of the fact it follows. A later room hears of an earlier one this way and
 * no other.
 */
import { sql, type Transaction } from '../database/database.ts'

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
  await tx.run(
    sql`select graphile_worker.add_job(${name}, ${JSON.stringify(payload)}::json, max_attempts => ${attemptsMax}::int, job_key => ${key ?? null}::text)`,
  )
}

/** Adds a task of one kind for each payload, in one statement. The same promises as `enqueue`. */
export async function enqueueAll<Name extends TaskName>(
  tx: Transaction,
  name: Name,
  payloads: readonly TaskPayloads[Name][],
): Promise<void> {
  if (payloads.length === 0) return
  await tx.run(sql`select count(*) from graphile_worker.add_jobs(array(
    select row(${name}, payload, null, null, ${attemptsMax}::int, null, null, null)::graphile_worker.job_spec
      from json_array_elements(${JSON.stringify(payloads)}::json) as payload))`)
}
