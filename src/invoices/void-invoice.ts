import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { post } from '../ledger/post.ts'
import { billedTransfers } from './invoices.ts'
import { hasStartedAttempt, markVoid, selectInvoice, selectLines } from './store.ts'

/**
 * Takes back the bill of a refused sign-up: its transfers are reversed, its lines stay as they were. Nothing a month close
 * has made is ever voided.
 *
 * @returns whether this call voided it; false when it was void before
 * @throws Fault NotFound, or IncorrectState when it is paid, carried into another bill, monthly, or while an attempt to
 *   collect it has no known end
 */
export async function voidInvoice(tx: Transaction, of: { accountId: string; invoiceId: string }): Promise<boolean> {
  const voided = await markVoid(tx, of)
  const invoice = await selectInvoice(tx, of)
  if (invoice === undefined) throw new Fault('NotFound', `There is no invoice ${of.invoiceId}.`)
  if (!voided) {
    if (invoice.state === 'void') return false
    throw new Fault(
      'IncorrectState',
      `Invoice ${of.invoiceId} is a ${invoice.kind} bill in state ${invoice.state}; only the bill of a sign-up that was not paid can be voided.`,
    )
  }
  // Asked after the row is locked by its change: an attempt is started under the same lock.
  if (await hasStartedAttempt(tx, of)) {
    throw new Fault(
      'IncorrectState',
      `Invoice ${of.invoiceId} is being collected and the outcome is not known yet; try again once it is.`,
    )
  }
  const lines = await selectLines(tx, of)
  await post(
    tx,
    billedTransfers(invoice, lines).map((transfer) => ({
      ...transfer,
      kind: 'billed-reversed',
      debit: transfer.credit,
      credit: transfer.debit,
    })),
  )
  return true
}
