import type { Transaction, Database } from '../database/database.ts'
import type { DueWork } from '../jobs/schedule.ts'
import type { LedgerAccount } from '../ledger/ledger.ts'
import type { SettlementSubject } from '../ledger/plan-settlement.ts'
import { post, type NewTransfer } from '../ledger/post.ts'
import { charged } from './settlement.ts'
import {
  deleteDue,
  insertSteps,
  selectEarliestDue,
  selectFigures,
  takeDue,
  type FiguresRow,
  type StepRow,
} from './store.ts'

/** Subjects settled in one transaction. */
const pageSize = 500

/**
 * Charges the seller the difference between what a buyer's month of a product costs at its present figures and what was
 * charged before: cloud cost and percentage fee (spec §7). Settling again without a change writes nothing.
 *
 * @returns whether the figures had changed
 */
export async function settle(tx: Transaction, subject: SettlementSubject): Promise<boolean> {
  await deleteDue(tx, subject)
  return (await settlePage(tx, [subject])) === 1
}

/** What was planned is settled when it is due: the day after money moved or a month was closed. */
export function settlementDue(database: Database): DueWork {
  return {
    name: 'settlement',
    next: () => database.read(selectEarliestDue),
    async run() {
      for (;;) {
        const taken = await database.transaction(async (tx) => {
          const subjects = await takeDue(tx, pageSize)
          await settlePage(tx, subjects)
          return subjects.length
        })
        if (taken < pageSize) return
      }
    },
  }
}

/** @param subjects whose plans this transaction has taken. @returns how many steps were written */
async function settlePage(tx: Transaction, subjects: readonly SettlementSubject[]): Promise<number> {
  if (subjects.length === 0) return 0
  const steps = (await selectFigures(tx, subjects)).flatMap((row) => {
    const step = nextStep(row, tx.config.percentageFee)
    return step === undefined ? [] : [{ step, before: row }]
  })
  await insertSteps(
    tx,
    steps.map(({ step }) => step),
  )
  await post(
    tx,
    steps.flatMap(({ step, before }) => [
      ...charge('cloud-cost', 'cloud-costs', step, step.costCharged - before.costCharged),
      ...charge('percentage-fee', 'percentage-fees', step, step.feeCharged - before.feeCharged),
    ]),
  )
  return steps.length
}

/** Undefined when the figures are those of the last step. */
function nextStep(row: FiguresRow, percentageFee: bigint): StepRow | undefined {
  const { accountId, productCode, month, sellerAccountId, currency, cost } = row
  const revenue = row.billed - row.refunded
  const collected = row.deposited - row.refunded
  if (revenue === row.lastRevenue && cost === row.lastCost && collected === row.lastCollected) return undefined
  const figures = { revenue, cost, collected }
  // A month keeps the fee it was first settled with: a changed fee is for months to come.
  const fee = row.percentageFee ?? percentageFee
  const identity = { accountId, productCode, month, step: row.lastStep + 1, sellerAccountId, currency }
  return { ...identity, ...figures, ...charged(figures, fee), percentageFee: fee }
}

/** Charges a difference, or gives it back; nothing when there is none. */
function charge(
  kind: 'cloud-cost' | 'percentage-fee',
  account: LedgerAccount,
  step: StepRow,
  difference: bigint,
): NewTransfer[] {
  if (difference === 0n) return []
  const [debit, credit]: [LedgerAccount, LedgerAccount] =
    difference > 0n ? ['seller-balance', account] : [account, 'seller-balance']
  return [
    {
      accountId: step.accountId,
      kind,
      reference: `${step.productCode}/${step.month}/${step.step}`,
      debit,
      credit,
      amount: difference > 0n ? difference : -difference,
      currency: step.currency,
      sellerAccountId: step.sellerAccountId,
      productCode: step.productCode,
      month: step.month,
    },
  ]
}
