/** Connections to PostgreSQL, with its types read the way money needs: int8 as bigint, numeric as text, date as text. */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../base/telemetry.ts'

/** Where PostgreSQL is: a URL, or a unix socket folder of the embedded one. */
export interface DatabaseAddress {
  readonly url?: string
  readonly socketFolder?: string
  readonly user?: string
  readonly database?: string
}

const closeMsMax = 5_000
const openConnections = new WeakMap<pg.Pool, Set<pg.PoolClient>>()

const int8 = 20
const date = 1082
const int8Array = 1016

const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === int8) return BigInt
    if (oid === date) return (value: string) => value
    if (oid === int8Array) return (value: string) => value.slice(1, -1).split(',').filter(Boolean).map(BigInt)
    return pg.types.getTypeParser(oid, format) as (value: string) => unknown
  },
}

/** Options of one connection, for pools, listeners and COPY alike. */
export function connectionOptions(address: DatabaseAddress): pg.ClientConfig {
  // Days and months in SQL are those of UTC, whatever zone a server of the operator's own is set to.
  const base: pg.ClientConfig = { types, application_name: 'turnpike', options: '-c timezone=UTC' }
  if (address.url !== undefined) return { ...base, connectionString: address.url }
  return {
    ...base,
    host: address.socketFolder ?? 'localhost',
    user: address.user ?? 'turnpike',
    database: address.database ?? 'turnpike',
  }
}

/**
 * A pool of connections. A broken idle connection is logged and replaced, never an unhandled error.
 *
 * @param max connections at the most
 */
export function createPool(address: DatabaseAddress, log: Log, max = 20): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(address), max, idleTimeoutMillis: 30_000 })
  // Only its words: the error of a pool carries the whole connection with it, and its key.
  const about = (error: Error): object => ({ reason: error.message, code: (error as { code?: string }).code })
  pool.on('error', (error) => log.warn(about(error), 'an idle database connection broke; it is replaced'))
  const connections = new Set<pg.PoolClient>()
  openConnections.set(pool, connections)
  pool.on('connect', (client) => {
    connections.add(client)
    // A connection in use fails its query too; without a listener its error event would end the process as well.
    client.on('error', (error) => log.debug(about(error), 'a database connection broke'))
  })
  pool.on('remove', (client) => connections.delete(client))
  return pool
}

/**
 * A pool for the task queue's library: it sends its ids back as JSON, which a bigint cannot be, so here int8 stays text.
 *
 * What the library itself writes does not wait for the disk. A crash of the machine may forget that a task was taken or done,
 * and it runs again, which every task must bear anyway; what tasks do, and that they exist, is committed by the other pool.
 */
export function createTaskPool(address: DatabaseAddress, log: Log, max = 10): pg.Pool {
  const { types: _, options: settings, ...options } = connectionOptions(address)
  const relaxed = `${settings ?? ''} -c synchronous_commit=off`
  const pool = new pg.Pool({ ...options, options: relaxed, max, idleTimeoutMillis: 30_000 })
  const replaced = (error: Error): void =>
    log.warn({ err: error }, 'a connection of the task queue broke; it is replaced')
  pool.on('error', replaced)
  pool.on('connect', (client) => client.on('error', replaced))
  return pool
}

/**
 * Ends a pool and waits until its connections are closed, which `pool.end()` does not: a server stopped right after that
 * would have to break them, and a database could not be dropped or cloned.
 */
export async function endPool(pool: pg.Pool): Promise<void> {
  const connections = openConnections.get(pool)
  const closed = new Promise<void>((resolve) => {
    const check = (): void => {
      if (connections === undefined || connections.size === 0) resolve()
    }
    pool.on('remove', check)
    check()
  })
  await pool.end()
  // A server that does not answer any more closes nothing; that must not keep a process from ending.
  await Promise.race([closed, delay(closeMsMax, undefined, { ref: false })])
}
