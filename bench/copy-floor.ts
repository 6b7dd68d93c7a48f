/**
 * The floor of a close: the rows it wrote, copied into empty tables of the same shape (columns, checks, indexes) over as many
 * connections. No close that ends with these rows on this disk can be faster.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { Month } from '../src/base/period.ts'
import type { Database } from '../src/database/database.ts'
import { databaseCpuSeconds } from './cpu-time.ts'

/** What a close writes, each with what tells its rows from those that were there before. */
const written = {
  account_month: (month: Month) => `month = '${month}'`,
  invoice: (month: Month) => `kind = 'monthly' and month = '${month}'`,
  invoice_line: (month: Month) => inInvoiceOf(month),
  transfer: (month: Month) => inInvoiceOf(month),
  subscription_month: (month: Month) => `month = '${month}'`,
  settlement_due: (month: Month) => `month = '${month}' and ${usedSomething(month)}`,
} as const

type Table = keyof typeof written

function inInvoiceOf(month: Month): string {
  return `(account_id, invoice_id) in (select account_id, invoice_id from invoice where kind = 'monthly' and month = '${month}')`
}

/** A plan that stood before is only locked by the close; those of use are its own, or the same work once more. */
function usedSomething(month: Month): string {
  return `exists (select from invoice_line line where line.account_id = settlement_due.account_id
    and line.product_code = settlement_due.product_code and line.month = '${month}' and line.kind = 'usage')`
}

export interface CopyFloor {
  readonly seconds: number
  readonly databaseCpuSeconds: number
  readonly rows: number
}

/** @param folder for the rows while they are in no table */
export async function copyFloor(
  database: Database,
  of: { month: Month; connections: number; folder: string },
): Promise<CopyFloor> {
  const { pool } = database
  const tables = Object.keys(written) as Table[]
  const parts = Array.from({ length: of.connections }, (_, part) => part)
  const fileOf = (table: Table, part: number): string => join(of.folder, `${table}.${part}`)
  await pool.query('create schema floor')
  for (const table of tables) await pool.query(`create table floor.${table} (like public.${table} including all)`)
  const clients = await Promise.all(parts.map(() => pool.connect()))
  try {
    const perPart = (work: (client: PoolClient, part: number) => Promise<number>): Promise<number> =>
      Promise.all(clients.map(work)).then((counts) => counts.reduce((sum, count) => sum + count, 0))
    const rows = await perPart(async (client, part) => {
      let count = 0
      for (const table of tables) {
        const mine = `mod(abs(hashtext(account_id)), ${of.connections}) = ${part}`
        const query = `select * from ${table} where ${mine} and ${written[table](of.month)}`
        const stream = client.query(copyTo(`copy (${query}) to stdout (format binary)`))
        await pipeline(stream, createWriteStream(fileOf(table, part)))
        count += stream.rowCount
      }
      return count
    })
    await pool.query('checkpoint')
    const { dataFolder } = database.config
    const cpuBefore = databaseCpuSeconds(dataFolder)
    const startedMs = performance.now()
    const copied = await perPart(async (client, part) => {
      let count = 0
      await client.query('begin')
      for (const table of tables) {
        const stream = client.query(copyFrom(`copy floor.${table} from stdin (format binary)`))
        await pipeline(createReadStream(fileOf(table, part)), stream)
        count += stream.rowCount
      }
      await client.query('commit')
      return count
    })
    const seconds = (performance.now() - startedMs) / 1000
    if (copied !== rows) throw new Error(`the floor copied ${copied} rows of ${rows}`)
    return { seconds, rows, databaseCpuSeconds: databaseCpuSeconds(dataFolder) - cpuBefore }
  } finally {
    for (const client of clients) client.release()
  }
}
