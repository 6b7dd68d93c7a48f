/** Bills whose charge is due: the first of the month, and the days of its retries (spec §6). */
import type { Database } from '../database/database.ts'
import type { DueWork } from '../jobs/schedule.ts'
import { startAttempt } from './start-attempt.ts'
import { earliestAttemptDue, lockDueInvoices } from './store.ts'

const pageSize = 200

/** Starts an attempt, with its task, for every due bill: a page is one transaction, so a crash repeats or loses none. */
export function collectionDue(db: Database): DueWork {
  return {
    name: 'collection',
    next: () => db.read(earliestAttemptDue),
    async run() {
      for (;;) {
        const started = await db.transaction(async (tx) => {
          const invoices = await lockDueInvoices(tx, pageSize)
          for (const invoice of invoices) await startAttempt(tx, invoice)
          return invoices.length
        })
        if (started < pageSize) return
      }
    },
  }
}
