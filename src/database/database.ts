/**
 * The one way to the database: one request or job is one transaction, with one instant, in which the state change, its
 * audit row, its notice and its follow-up job are written together.
 */
import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg'
import type { Sql } from 'sql-template-tag'
import type { Config } from '../base/config.ts'
import type { Sealer } from '../base/seal.ts'
import type { Log } from '../base/telemetry.ts'
import type { Clock } from './clock.ts'
import { StatementNames } from './statement-names.ts'

export { default as sql, join, raw, empty } from 'sql-template-tag'
export type { Sql } from 'sql-template-tag'

/** An open transaction: what every verb of every domain is given. */
export interface Transaction {
  /** The instant of everything this transaction does. */
  readonly now: Date
  readonly config: Config
  readonly sealer: Sealer
  readonly log: Log
  /** The connection, for COPY and cursors only. */
  readonly client: PoolClient
  /** All rows of a query. */
  rows<Row extends QueryResultRow>(query: Sql): Promise<Row[]>
  /** The first row of a query, if there is one. */
  first<Row extends QueryResultRow>(query: Sql): Promise<Row | undefined>
  /** The only row of a query that always has one. */
  one<Row extends QueryResultRow>(query: Sql): Promise<Row>
  /** How many rows a statement wrote. */
  run(query: Sql): Promise<number>
  /** Runs once the transaction is durable; never when it is rolled back. */
  afterCommit(action: (database: Database) => void): void
}

/** SQL states after which the same transaction may simply be tried again. */
const retryableStates = new Set(['40001', '40P01'])
const attemptsMax = 4
/** "cached plan must not change result type": a migration changed a table under a prepared statement of this connection. */
const stalePlanState = '0A000'

const statementNames = new StatementNames()

/** The database with what every transaction needs besides it. */
export class Database {
  readonly pool: Pool
  readonly clock: Clock
  readonly config: Config
  readonly sealer: Sealer
  readonly log: Log

  constructor(parts: { pool: Pool; clock: Clock; config: Config; sealer: Sealer; log: Log }) {
    this.pool = parts.pool
    this.clock = parts.clock
    this.config = parts.config
    this.sealer = parts.sealer
    this.log = parts.log
  }

  /**
   * Runs work in one transaction (READ COMMITTED) and commits. Rolled back when the work throws; tried again, up to four
   * times in all, when PostgreSQL says that two transactions stood in each other's way.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#insist(work, 'begin')
  }

  /** Runs work that only reads, on one snapshot. */
  async read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return await this.#insist(work, 'begin isolation level repeatable read read only')
  }

  async #insist<T>(work: (tx: Transaction) => Promise<T>, begin: string): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(work, begin)
      } catch (error) {
        if (attempt >= attemptsMax || !(isRetryable(error) || isStalePlan(error))) throw error
        this.log.debug({ err: error, attempt }, 'transaction tried again')
      }
    }
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T>, begin: string): Promise<T> {
    const client = await this.pool.connect()
    const committed: ((database: Database) => void)[] = []
    let broken: Error | undefined
    try {
      await client.query(begin)
      const result = await work(await this.#open(client, committed))
      // PostgreSQL answers a commit of a failed transaction with ROLLBACK and no error: a swallowed failure must not pass.
      if ((await client.query('commit')).command !== 'COMMIT')
        throw new Error('the transaction failed inside; nothing was written')
      for (const action of committed) action(this)
      return result
    } catch (error) {
      await client.query('rollback').catch((failure: unknown) => {
        broken = failure as Error
      })
      // The connection would fail at this statement for ever.
      if (isStalePlan(error)) broken ??= error
      throw error
    } finally {
      client.release(broken)
    }
  }

  async #open(client: PoolClient, committed: ((database: Database) => void)[]): Promise<Transaction> {
    const now = await this.clock.now(client)
    const send = async <Row extends QueryResultRow>({ text, values }: Sql): Promise<QueryResult<Row>> => {
      const name = statementNames.nameOf(text)
      return await client.query<Row>(name === undefined ? { text, values } : { name, text, values })
    }
    const rows = async <Row extends QueryResultRow>(query: Sql): Promise<Row[]> => (await send<Row>(query)).rows
    return {
      now,
      config: this.config,
      sealer: this.sealer,
      log: this.log,
      client,
      rows,
      first: async <Row extends QueryResultRow>(query: Sql) => (await rows<Row>(query))[0],
      async one<Row extends QueryResultRow>(query: Sql) {
        const [row, ...others] = await rows<Row>(query)
        if (row === undefined || others.length > 0)
          throw new Error(`one row expected, ${others.length + (row ? 1 : 0)} found`)
        return row
      },
      run: async (query) => (await send(query)).rowCount ?? 0,
      afterCommit: (action) => void committed.push(action),
    }
  }
}

function isRetryable(error: unknown): boolean {
  return retryableStates.has((error as { code?: string }).code ?? '')
}

function isStalePlan(error: unknown): error is Error {
  const { code, message } = error as { code?: string; message?: string }
  return code === stalePlanState && /cached plan/.test(message ?? '')
}
