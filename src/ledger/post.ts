import { assert } from '../base/assert.ts'
import type { Transaction } from '../database/database.ts'
import { requireSound, type NewTransfer } from './ledger.ts'
import { insertTransfers, selectTransfers, type TransferRow } from './store.ts'

export type { NewTransfer } from './ledger.ts'

/**
 * Books facts. A fact already booked under its (account, kind, reference) is left as it is, so every caller may simply
 * try again.
 *
 * @returns how many of them were not booked before
 * @throws Error when a fact was booked before with other figures: two different facts claim one reference
 */
export async function post(tx: Transaction, transfers: readonly NewTransfer[]): Promise<number> {
  if (transfers.length === 0) return 0
  const rows = transfers.map(rowOf)
  const inserted = await insertTransfers(tx, rows)
  if (inserted < rows.length) await requireSameFigures(tx, rows)
  return inserted
}

async function requireSameFigures(tx: Transaction, rows: readonly TransferRow[]): Promise<void> {
  const key = (row: TransferRow): string => JSON.stringify([row.accountId, row.kind, row.reference])
  const booked = new Map((await selectTransfers(tx, rows)).map((row) => [key(row), row]))
  for (const row of rows) {
    const before = booked.get(key(row))
    const name = `the ${row.kind} ${row.reference} of account ${row.accountId}`
    assert(before !== undefined, `${name} is booked`)
    for (const field of figures) {
      assert(
        before[field] === row[field],
        `${name} is booked once: ${field} was ${before[field]}, now ${row[field]} is asked for`,
      )
    }
  }
}

const figures = [
  'amount',
  'currency',
  'debit',
  'credit',
  'sellerAccountId',
  'productCode',
  'month',
  'invoiceId',
] as const satisfies readonly (keyof TransferRow)[]

function rowOf(transfer: NewTransfer): TransferRow {
  requireSound(transfer)
  return {
    accountId: transfer.accountId,
    kind: transfer.kind,
    reference: transfer.reference,
    debit: transfer.debit,
    credit: transfer.credit,
    amount: transfer.amount,
    currency: transfer.currency,
    sellerAccountId: transfer.sellerAccountId ?? null,
    productCode: transfer.productCode ?? null,
    month: transfer.month ?? null,
    invoiceId: transfer.invoiceId ?? null,
  }
}
