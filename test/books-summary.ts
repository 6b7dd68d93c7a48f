/**
 * What a database says happened, without what is different each time (ids made at random, machine time): two ways to the
 * same books give the same summary. And digests of every table, to see that nothing changed.
 */
import type { Pool } from 'pg'

const views: Readonly<Record<string, string>> = {
  subscriptions: `select account_id, product_code, state, end_reason, created_at, activated_at, ended_at, end_of_access_due_at from subscription`,
  instances: `select account_id, instance_id, state, sequence, state_changed_at from instance`,
  runs: `select account_id, instance_id, run_number, started_at, ended_at from instance_run`,
  invoices: `select account_id, kind, month, currency, total, amount_due, state, issued_at, paid_at, attempt_due_at,
    carried_into is not null as carried from invoice`,
  lines: `select account_id, product_code, kind, dimension, month, period_start, period_end, quantity, price_version, amount,
    cost from invoice_line`,
  months: `select account_id, month from account_month`,
  closes: `select month, finished_at is not null as finished from month_close`,
  attempts: `select a.account_id, i.kind, i.month, a.attempt_number, a.state, a.amount, a.failure_code
    from payment_attempt a join invoice i using (account_id, invoice_id)`,
  refunds: `select account_id, product_code, month, amount, state from refund`,
  transfers: `select account_id, kind, debit, credit, amount, currency, seller_account_id, product_code, month from transfer`,
  steps: `select account_id, product_code, month, step, revenue, cost, collected, cost_charged, fee_charged from settlement_step`,
  payouts: `select seller_account_id, payout_number, currency, amount, state from payout`,
  mails: `select account_id, kind, recipient, subject from mail`,
}

/** Every fact of the books as one line of text, sorted, per kind of fact. */
export async function booksOf(pool: Pool): Promise<Record<string, string[]>> {
  const summary: Record<string, string[]> = {}
  for (const [name, query] of Object.entries(views)) {
    const { rows } = await pool.query<{ fact: string }>(`select to_jsonb(f)::text as fact from (${query}) as f`)
    summary[name] = rows.map((row) => row.fact).sort()
  }
  return summary
}

/**
 * A digest of what each table holds. Not of what merely counts attempts (rate limits), nor of tasks, which a worker may take at
 * any moment.
 */
export async function digestTables(pool: Pool): Promise<Record<string, string>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema', 'graphile_worker') and tablename <> 'attempt'
      order by 1`,
  )
  const digests: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await pool.query<{ digest: string }>(
      `select count(*) || ' rows, ' || md5(coalesce(string_agg(t::text, e'\\n' order by t::text), '')) as digest from ${name} as t`,
    )
    digests[name] = rows[0]?.digest ?? ''
  }
  return digests
}
