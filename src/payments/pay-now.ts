/** The buyer pays a bill by hand. */
import { Fault } from '../base/fault.ts'
import type { Database } from '../database/database.ts'
import { collectInvoice } from './collect.ts'
import type { Collected, InvoiceReference } from './payments.ts'
import type { Processor } from './processor.ts'
import { lockInvoice } from './store.ts'

/**
 * Tries at once to collect an open or unpaid bill. The attempt's task finishes it if this call dies midway.
 *
 * @throws Fault NotFound for a bill that is not the account's
 * @throws Fault IncorrectState for a bill with nothing to pay
 */
export async function payNow(db: Database, processor: Processor, invoice: InvoiceReference): Promise<Collected> {
  await db.transaction(async (tx) => {
    const found = await lockInvoice(tx, invoice)
    if (found === undefined) throw new Fault('NotFound', `There is no bill ${invoice.invoiceId} in this account.`)
    if (!['open', 'unpaid'].includes(found.state) || found.amountDue === 0n) {
      throw new Fault('IncorrectState', `The bill of ${found.month} is ${found.state}; there is nothing to pay on it.`)
    }
  })
  return await collectInvoice(db, processor, invoice)
}
