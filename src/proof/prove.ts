import { sql, type Database, type Sql, type Transaction } from '../database/database.ts'
import { checksOfBills } from './bills.ts'
import { checksOfPayments } from './payments.ts'
import { violationsMax, type Check, type CheckResult, type Found, type Proof, type Violation } from './proof.ts'
import { checksOfSellers } from './sellers.ts'
import { checksOfUse } from './use.ts'

export type { Proof } from './proof.ts'

const allChecks = [...checksOfUse, ...checksOfBills, ...checksOfPayments, ...checksOfSellers]

/**
 * Proves the books: searches, on one snapshot of the database and while the service goes on, for anything that breaks an
 * invariant. It only reads.
 *
 * @returns every invariant with how often it is broken, and the first few violations; `ok` when none is
 */
export async function prove(database: Database): Promise<Proof> {
  return await database.read(proveIn)
}

/** The same on what a transaction sees. */
export async function proveIn(tx: Transaction): Promise<Proof> {
  const checks: CheckResult[] = []
  for (const check of allChecks) checks.push(await run(tx, check))
  return { ok: checks.every((check) => check.ok), checks }
}

async function run(tx: Transaction, { name, statement, search }: Check): Promise<CheckResult> {
  const found = typeof search === 'function' ? await search(tx) : search
  const { count, violations } = 'count' in found ? found : await query(tx, found)
  return { name, statement, ok: count === 0, count, violations }
}

async function query(tx: Transaction, search: Sql): Promise<Found> {
  const rows = await tx.rows<{ violations: number } & Violation>(sql`
    select *, (count(*) over ())::integer as violations from (${search}) as violation limit ${violationsMax}`)
  return {
    count: rows[0]?.violations ?? 0,
    violations: rows.map(({ violations: _count, ...violation }) => violation),
  }
}
