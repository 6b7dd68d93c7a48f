/**
 * Pays sellers what is theirs, every Monday at 00:00 UTC, to verified bank accounts (spec §7).
 *
 * A payout is **started**: taken from the seller's balance, with the task that sends it, in one transaction. It becomes **paid**,
 * or, when the processor finally refuses, **failed** and its transfer is reversed, so that the next run tries again. At most
 * one payout of a seller and currency is started at a time, by constraint.
 */
import { findSeller } from '../accounts/ensure-seller.ts'
import { requireAccount } from '../accounts/find-account.ts'
import { linkProcessorAccount } from '../accounts/link-processor-account.ts'
import { publicUrlOf } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { displayAmount } from '../base/money.ts'
import { addDays, startOfDay } from '../base/time.ts'
import type { Database, Transaction } from '../database/database.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { DueWork } from '../jobs/schedule.ts'
import { post, type NewTransfer } from '../ledger/post.ts'
import { sellerBalances } from '../ledger/sum-balance.ts'
import { writeMail } from '../notices/write-mail.ts'
import type { Processor } from '../payments/processor.ts'
import {
  insertPayout,
  insertPayoutRun,
  lockPayableSeller,
  selectPayableSellers,
  selectPayout,
  selectPayoutRuns,
  selectPayouts,
  settlePayout,
  type Payout,
} from './payout-store.ts'

export type { Payout } from './payout-store.ts'

const monday = 1
const pageMax = 100

/**
 * Starts a payout for every seller with a verified bank account and a balance that reaches the minimum, one per currency.
 * Doing it again at once starts nothing, because the balances are gone.
 *
 * @returns the payouts started
 */
export async function startPayouts(database: Database): Promise<Payout[]> {
  const minimum = payoutMinimum(database.config.payoutMinimum)
  const sellers = await database.read((tx) => selectPayableSellers(tx, minimum))
  const started: Payout[] = []
  for (const sellerAccountId of sellers) {
    started.push(...(await database.transaction((tx) => startPayoutsOf(tx, sellerAccountId, minimum))))
  }
  return started
}

async function startPayoutsOf(tx: Transaction, sellerAccountId: string, minimum: bigint): Promise<Payout[]> {
  if (!(await lockPayableSeller(tx, sellerAccountId))) return []
  const started: Payout[] = []
  for (const balance of await sellerBalances(tx, { sellerAccountId })) {
    if (balance.minor < minimum) continue
    const payout = await insertPayout(tx, sellerAccountId, balance)
    if (payout === undefined) continue
    await post(tx, [payoutTransfer(payout)])
    await enqueue(tx, 'payout.send', { sellerAccountId, payoutNumber: payout.payoutNumber })
    started.push(payout)
  }
  return started
}

/** A payout moves something, whatever the configured minimum. */
function payoutMinimum(configured: bigint): bigint {
  return configured > 0n ? configured : 1n
}

function payoutTransfer(payout: Payout): NewTransfer {
  return {
    accountId: payout.sellerAccountId,
    kind: 'payout',
    reference: `${payout.payoutNumber}`,
    debit: 'seller-balance',
    credit: 'processor',
    amount: payout.amount,
    currency: payout.currency,
    sellerAccountId: payout.sellerAccountId,
  }
}

/** Payout runs: every Monday at 00:00 UTC from the first seller's on. A missed Monday is made up for by one run. */
export function payoutDue(database: Database): DueWork {
  return {
    name: 'payout',
    async next() {
      const { lastDay, firstSeller } = await database.read(selectPayoutRuns)
      if (lastDay !== null) return addDays(new Date(`${lastDay}T00:00:00Z`), 7)
      return firstSeller === null ? undefined : nextMonday(firstSeller)
    },
    async run() {
      const now = await database.read((tx) => Promise.resolve(tx.now))
      await startPayouts(database)
      const day = lastMonday(now).toISOString().slice(0, 10)
      await database.transaction((tx) => insertPayoutRun(tx, day))
    },
  }
}

/** The first Monday at 00:00 after an instant's day. */
export function nextMonday(instant: Date): Date {
  return addDays(lastMonday(instant), 7)
}

/** The Monday at 00:00 at or before an instant. */
export function lastMonday(instant: Date): Date {
  return addDays(startOfDay(instant), -((instant.getUTCDay() - monday + 7) % 7))
}

/**
 * Sends a started payout: the handler of `payout.send`. The processor is asked under the payout's own key, so asking again
 * after a lost answer moves nothing twice.
 *
 * @throws Fault ProcessorUnavailable when there was no answer: the payout stays started and the task is tried again
 */
export async function sendPayout(
  database: Database,
  processor: Processor,
  of: { sellerAccountId: string; payoutNumber: number },
): Promise<void> {
  const payout = await database.read((tx) => selectPayout(tx, of))
  if (payout?.state !== 'started') return
  try {
    const processorAccountId = await processorAccount(database, processor, of.sellerAccountId)
    const { transferId } = await processor.transferToSeller({
      processorAccountId,
      amount: { minor: payout.amount, currency: payout.currency },
      idempotencyKey: `payout/${of.sellerAccountId}/${of.payoutNumber}`,
      metadata: { sellerAccountId: of.sellerAccountId, payoutNumber: `${of.payoutNumber}` },
    })
    await database.transaction((tx) => settlePayout(tx, of, { state: 'paid', transferId }))
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'PaymentRefused') throw error
    await database.transaction((tx) => fail(tx, payout, error.message))
  }
}

/** The seller's account at the processor, made when there is none. */
async function processorAccount(database: Database, processor: Processor, sellerAccountId: string): Promise<string> {
  const { seller, account } = await database.read(async (tx) => ({
    seller: await findSeller(tx, sellerAccountId),
    account: await requireAccount(tx, sellerAccountId),
  }))
  if (seller?.processorAccountId !== undefined) return seller.processorAccountId
  const { processorAccountId } = await processor.createSellerAccount({ sellerAccountId, email: account.email })
  await database.transaction((tx) => linkProcessorAccount(tx, { sellerAccountId, processorAccountId, actor: 'system' }))
  return processorAccountId
}

async function fail(tx: Transaction, payout: Payout, message: string): Promise<void> {
  if (!(await settlePayout(tx, payout, { state: 'failed', message }))) return
  const transfer = payoutTransfer(payout)
  await post(tx, [{ ...transfer, kind: 'payout-reversed', debit: transfer.credit, credit: transfer.debit }])
  const account = await requireAccount(tx, payout.sellerAccountId)
  const amount = displayAmount({ minor: payout.amount, currency: payout.currency })
  await writeMail(tx, {
    reference: `payout-failed/${payout.sellerAccountId}/${payout.payoutNumber}`,
    kind: 'payout-failed',
    accountId: payout.sellerAccountId,
    recipient: account.email,
    subject: `Your payout of ${amount} failed`,
    paragraphs: [
      `We could not pay out ${amount}: ${message}`,
      'The amount is back in your balance. The next payout, on Monday, tries again.',
    ],
    action: { label: 'See your activity', url: `${publicUrlOf(tx.config)}/seller` },
  })
}

/** A seller's payouts, newest first, at most 100 at a time; `before` is the last number of the page before. */
export async function listPayouts(
  tx: Transaction,
  of: { sellerAccountId: string; before?: number; limit?: number },
): Promise<Payout[]> {
  const limit = Math.min(of.limit ?? pageMax, pageMax)
  return await selectPayouts(tx, { sellerAccountId: of.sellerAccountId, before: of.before, limit })
}
