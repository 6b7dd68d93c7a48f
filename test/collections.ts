/**
 * Buyers, bills and their collection for tests: the real verbs and tasks, the real Stripe SDK against the sandbox, with a
 * faulty processor in between; time moves by the manual clock.
 */
import type Stripe from 'stripe'
import { createTaskPool } from '../src/database/pool.ts'
import type { Database } from '../src/database/database.ts'
import { listInvoices } from '../src/invoices/find-invoice.ts'
import type { Invoice } from '../src/invoices/invoices.ts'
import { monthCloseDue } from '../src/invoices/month-close-due.ts'
import { advanceClock } from '../src/jobs/schedule.ts'
import { drainTasks, type TaskHandlers } from '../src/jobs/work.ts'
import { listMails } from '../src/notices/read-mailbox.ts'
import type { Mail } from '../src/notices/notices.ts'
import { refundCollectedLate } from '../src/orders/refund-unused.ts'
import { vetOrder } from '../src/orders/vet-order.ts'
import { acceptEvent, applyEvent } from '../src/payments/accept-event.ts'
import { finishAttempt } from '../src/payments/collect.ts'
import { collectionDue } from '../src/payments/collection-due.ts'
import { refundPayment } from '../src/payments/refund-payment.ts'
import { createStripeProcessor } from '../src/payments/stripe-processor.ts'
import { sendPayout, payoutDue } from '../src/settlement/pay-out.ts'
import { settlementDue } from '../src/settlement/settle.ts'
import { prove } from '../src/proof/prove.ts'
import { signatureOf } from '../src/sandbox/deliver-webhooks.ts'
import type { TestDatabase } from './database.ts'
import { faultyProcessor, type FaultyProcessor } from './faulty-processor.ts'
import { testSandbox } from './sandbox.ts'

export interface Collections {
  readonly house: TestDatabase
  readonly database: Database
  readonly processor: FaultyProcessor
  readonly stripe: Stripe
  /** Moves the clock, doing on the way what falls due, tasks included. */
  advance(to: string | Date): Promise<void>
  /** Runs every task that can run now. @returns how many failed and wait for another try */
  drain(): Promise<number>
  /** Lets tasks that failed be tried again now. */
  retry(): Promise<number>
  /** Tasks of a name that have not succeeded. */
  tasksOf(name: string): Promise<number>
  /** The processor's events so far, oldest first. */
  events(): Promise<Stripe.Event[]>
  /** Delivers an event as the processor does; its task runs with the next drain. */
  deliver(event: Stripe.Event): Promise<void>
  /** What was captured of an account at the processor; of everybody unless one is named. */
  captures(accountId?: string): Promise<Stripe.PaymentIntent[]>
  /** The processor no longer knows any idempotency key, and we know that it may not. */
  forgetKeys(): Promise<void>
  /** An account's bills, newest first. */
  bills(accountId: string): Promise<Invoice[]>
  mails(recipientOrReference: string): Promise<Mail[]>
  /** Names of the invariants that are broken, with what breaks them. */
  broken(): Promise<string[]>
  close(): Promise<void>
}

export async function openCollections(now: string): Promise<Collections> {
  const { house, sandbox, stripe, url, close } = await testSandbox()
  await house.setClock(new Date(now))
  const { database, log } = house
  const { secretKey, webhookSecret } = sandbox
  // Many test files share a machine: who asks for the same at once waits longer for each other than in service.
  const processor = faultyProcessor(createStripeProcessor({ secretKey, webhookSecret, url, retriesMax: 6 }))
  const tasks = createTaskPool(house.address, log)
  const handlers: TaskHandlers = {
    'mail.send': () => Promise.reject(new Error('there is no mail server')),
    'instance.advance': () => Promise.reject(new Error('there are no instances')),
    'order.vet': async (task) => void (await vetOrder(database, processor, task)),
    'invoice.collect': async (task) => void (await finishAttempt(database, processor, task)),
    'subscription.refund': (task) => refundCollectedLate(database, task),
    'refund.pay': (task) => refundPayment(database, processor, task),
    'payout.send': (task) => sendPayout(database, processor, task),
    'processor.event': (task) => applyEvent(database, processor, task),
  }
  const due = [monthCloseDue(database), collectionDue(database), settlementDue(database), payoutDue(database)]
  const drain = async (): Promise<number> => (await drainTasks(tasks, handlers, log)).waiting
  const query = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await house.pool.query<Row>(text, values)).rows
  return {
    house,
    database,
    processor,
    stripe,
    drain,
    advance: async (to) => await advanceClock(database, due, new Date(to), async () => void (await drain())),
    async retry() {
      await query('update graphile_worker._private_jobs set run_at = now()')
      return await drain()
    },
    async tasksOf(name) {
      return (await query('select 1 from graphile_worker.jobs where task_identifier = $1', [name])).length
    },
    events: async () => (await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })).reverse(),
    async deliver(event) {
      const body = JSON.stringify(event)
      await acceptEvent(database, processor, Buffer.from(body), signatureOf(body, webhookSecret))
    },
    async captures(accountId) {
      const intents = await stripe.paymentIntents.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })
      return intents.filter(
        ({ status, metadata }) =>
          status === 'succeeded' && (accountId === undefined || metadata['account_id'] === accountId),
      )
    },
    async forgetKeys() {
      await query('delete from sandbox.idempotency')
      await query(`update payment_attempt set asked_at = now() - interval '2 days'`)
    },
    bills: async (accountId) => await database.read((tx) => listInvoices(tx, { accountId })),
    async mails(text) {
      const mails = await database.read((tx) => listMails(tx, { limit: 1000 }))
      return mails.filter((mail) => mail.recipient === text || mail.reference.includes(text))
    },
    async broken() {
      const proof = await prove(database)
      return proof.checks
        .filter((check) => !check.ok)
        .map(({ name, violations }) => `${name}: ${JSON.stringify(violations, printBigint)}`)
    },
    async close() {
      await tasks.end()
      await close()
    },
  }
}

function printBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
