/** Connections to PostgreSQL, with its types read the way money needs: int8 as bigint, numeric as text, date as text. */
import pg from 'pg'
import type { Log } from '../base/telemetry.ts'

/** Where PostgreSQL is: a URL, or a unix socket folder of the embedded one. */
export interface DatabaseAddress {
  readonly url?: string
  readonly socketFolder?: string
  readonly user?: string
  readonly database?: string
}

const int8 = 20
const date = 1082
const int8Array = 1016

const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === int8) return BigInt
    if (oid === date) return (value: string) => value
    if (oid === int8Array) return (value: string) => value.slice(1, -1).split(',').filter(Boolean).map(BigInt)
    return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown
  },
}

/** Options of one connection, for pools, listeners and COPY alike. */
export function connectionOptions(address: DatabaseAddress): pg.ClientConfig {
  const base: pg.ClientConfig = { types, application_name: 'turnpike' }
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
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke; it is replaced'))
  return pool
}
