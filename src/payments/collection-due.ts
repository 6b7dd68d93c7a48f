/**
 * What collecting has to do by itself: bills whose charge is due (the first of the month, and the days of its retries, spec
 * §6), and attempts and refunds whose end is not known a day later.
 */
import { addDays } from '../base/time.ts'
import type { Database, Transaction } from '../database/database.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { DueWork } from '../jobs/schedule.ts'
import { attemptKey, refundKey } from './payments.ts'
import { startAttempt } from './start-attempt.ts'
import { earliestCollectionDue, lockDueInvoices, resumeAttempts, resumeRefunds } from './store.ts'

const pageSize = 200

/** Works through what is due in pages: a page is one transaction, so a crash repeats or loses none. */
export function collectionDue(db: Database): DueWork {
  return {
    name: 'collection',
    next: () => db.read(earliestCollectionDue),
    async run() {
      for (const page of [startDue, resumeDueAttempts, resumeDueRefunds]) {
        while ((await db.transaction(page)) === pageSize);
      }
    },
  }
}

/** An attempt, with its task, for every due bill. */
async function startDue(tx: Transaction): Promise<number> {
  const invoices = await lockDueInvoices(tx, pageSize)
  for (const invoice of invoices) await startAttempt(tx, invoice)
  return invoices.length
}

/** Under a key: of the tasks of many days that cannot be done, one waits. */
async function resumeDueAttempts(tx: Transaction): Promise<number> {
  const attempts = await resumeAttempts(tx, addDays(tx.now, 1), pageSize)
  for (const attempt of attempts) await enqueue(tx, 'invoice.collect', attempt, attemptKey(attempt))
  return attempts.length
}

async function resumeDueRefunds(tx: Transaction): Promise<number> {
  const refunds = await resumeRefunds(tx, addDays(tx.now, 1), pageSize)
  for (const refund of refunds) await enqueue(tx, 'refund.pay', refund, refundKey(refund))
  return refunds.length
}
