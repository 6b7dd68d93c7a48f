import type { Amount } from '../base/money.ts'
import { monthOf } from '../base/period.ts'
import type { Transaction } from '../database/database.ts'
import { findMonthlyCharge } from '../invoices/find-invoice.ts'
import { priceVersions } from '../products/price-in-force.ts'
import type { Subscription } from '../subscriptions/subscriptions.ts'
import { unusedCharge } from './unused-charge.ts'

/**
 * What cancelling now would give back. Writes nothing, but holds the bill until the transaction ends; afterwards it may be
 * otherwise, when the bill is collected or the day ends.
 */
export async function previewCancellation(tx: Transaction, subscription: Subscription): Promise<{ refund?: Amount }> {
  const { accountId, subscriptionId, productCode } = subscription
  const charge = await findMonthlyCharge(tx, { accountId, subscriptionId, month: monthOf(tx.now) })
  if (charge?.invoiceState !== 'paid') return {}
  const refund = await unusedPart(tx, { productCode, charge, endsAt: tx.now })
  return refund === undefined ? {} : { refund }
}

/** The part of a month's charge that is not used (`unusedCharge` has the rule); undefined when there is none. */
export async function unusedPart(
  tx: Transaction,
  of: {
    readonly productCode: string
    readonly charge: NonNullable<Awaited<ReturnType<typeof findMonthlyCharge>>>
    /** When the subscription ends: inside the month of the charge. */
    readonly endsAt: Date
  },
): Promise<Amount | undefined> {
  const { productCode, charge, endsAt } = of
  const versions = await priceVersions(tx, productCode)
  const price = versions.find((version) => version.version === charge.priceVersion)
  if (price === undefined) throw new Error(`${productCode} has no price version ${charge.priceVersion}`)
  const minor = unusedCharge({ monthly: price.monthly, charged: charge.amount }, endsAt)
  return minor === 0n ? undefined : { minor, currency: charge.currency }
}
