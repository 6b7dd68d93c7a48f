import { Fault } from '../base/fault.ts'
import { priceQuantity } from '../base/money.ts'
import type { PricePeriod } from './rating.ts'

/** What a counted quantity costs the buyer and the seller. */
export interface RatedUsage {
  readonly priceVersion: number
  /** Nano units of the major unit per unit; 0 where the price names no rate for the dimension. */
  readonly rateNano: bigint
  /** Minor units the buyer pays. */
  readonly amount: bigint
  readonly rateCardVersion: number | null
  /** Nano units of the major unit per unit; empty where the cloud has no rate for the dimension. */
  readonly costRateNano: bigint | null
  /** Minor units the seller owes the cloud for it. */
  readonly cost: bigint
}

/**
 * Usage meets the price in force: quantity × rate, rounded once, half away from zero. Pure.
 *
 * A dimension the price does not name costs the buyer nothing; the seller owes the cloud's rate for it all the same
 * (spec §3).
 *
 * @param usage hours counted inside `inForce`
 * @throws Fault InvalidConfiguration when price and rate card are in different currencies: the cost could not be set
 *   against the revenue
 */
export function rate(
  usage: { readonly dimension: string; readonly quantity: bigint },
  inForce: Pick<PricePeriod, 'price' | 'cloud'>,
): RatedUsage {
  const { price, cloud } = inForce
  if (cloud !== undefined && cloud.currency !== price.currency) {
    throw new Fault(
      'InvalidConfiguration',
      `Product ${price.productCode} is priced in ${price.currency} and rate card version ${cloud.version} is in ${cloud.currency}; the cost of use can be charged in the price's currency only.`,
    )
  }
  const rateNano = price.rates.get(usage.dimension) ?? 0n
  const costRateNano = cloud?.rates.get(usage.dimension) ?? null
  return {
    priceVersion: price.version,
    rateNano,
    amount: priceQuantity(usage.quantity, rateNano, price.currency),
    rateCardVersion: cloud?.version ?? null,
    costRateNano,
    cost: costRateNano === null ? 0n : priceQuantity(usage.quantity, costRateNano, price.currency),
  }
}
