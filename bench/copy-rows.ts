/** Rows into tables by COPY, the fastest way PostgreSQL has. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** A value of a column: text, or what has one form as text. */
export type Cell = string | number | bigint | boolean | Date | null

/** A row by its columns; columns that are left out get their defaults. */
export type Row = Readonly<Record<string, Cell>>

/** @param rows all of the same columns */
export async function copyRows(client: PoolClient, table: string, rows: readonly Row[]): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const columns = Object.keys(first)
  const lines = function* (): Generator<string> {
    for (const row of rows) yield `${columns.map((column) => cellText(row[column] ?? null)).join('\t')}\n`
  }
  const copy = client.query(copyFrom(`copy ${table} (${columns.join(', ')}) from stdin`))
  await pipeline(Readable.from(chunks(lines())), copy)
}

function cellText(cell: Cell): string {
  if (cell === null) return '\\N'
  return cell instanceof Date ? cell.toISOString() : String(cell)
}

/** Few large pieces: a stream's own cost is per piece. */
function* chunks(lines: Iterable<string>): Generator<string> {
  const bytes = 65_536
  let piece = ''
  for (const line of lines) {
    piece += line
    if (piece.length < bytes) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}
