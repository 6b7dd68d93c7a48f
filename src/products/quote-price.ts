import { formatMinor, formatRate, minorPerMajor, nanoPerMajor, type Currency } from '../base/money.ts'
import { divideHalfAwayFromZero } from '../base/rounding.ts'
import type { Transaction } from '../database/database.ts'
import { checkPricing } from './check-pricing.ts'
import { describeDimension, instanceHours, type InstanceConfiguration } from './dimension.ts'
import { checkShape, pricingInput, type PricingInput } from './product-input.ts'

/** One dimension of a quote; all figures are decimal strings, per hour. */
export interface QuotedRate extends InstanceConfiguration {
  readonly dimension: string
  /** What the buyer pays; `0.00` where the price names no rate. */
  readonly rate: string
  /** What the seller owes the cloud. */
  readonly cloudRate: string
  /** Rate less cloud rate; negative at a loss. */
  readonly markup: string
  /** Markup in percent of the cloud's rate, two decimals; missing where the cloud asks nothing. */
  readonly markupPercent?: string
}

export interface PriceQuote {
  readonly currency: Currency
  readonly oneTime: string
  readonly monthly: string
  readonly rateCardVersion: number
  readonly rates: readonly QuotedRate[]
  /** A sentence for every dimension on which an hour loses money. */
  readonly warnings: readonly string[]
}

/**
 * Shows a price beside the cloud's cost while it is being set (spec §3). Writes nothing.
 *
 * @throws Fault InvalidParameter with a sentence for every bad field
 */
export async function quotePrice(tx: Transaction, input: PricingInput): Promise<PriceQuote> {
  const { configuration, price, rateCard } = await checkPricing(tx, checkShape(pricingInput, input))
  const warnings: string[] = []
  const rates = configuration.map((row): QuotedRate => {
    const dimension = instanceHours(row)
    const rate = price.rates.get(dimension) ?? 0n
    const cloudRate = rateCard.rateOf(dimension)
    if (rate < cloudRate) warnings.push(warning(dimension, rate, cloudRate, price.monthly, price.currency))
    return {
      ...row,
      dimension,
      rate: formatRate(rate),
      cloudRate: formatRate(cloudRate),
      ...markupOf(rate, cloudRate),
    }
  })
  return {
    currency: price.currency,
    oneTime: formatMinor(price.oneTime, price.currency),
    monthly: formatMinor(price.monthly, price.currency),
    rateCardVersion: rateCard.version,
    rates,
    warnings,
  }
}

/** What a rate leaves over the cloud's, both in nano units; negative at a loss. */
export function markupOf(rate: bigint, cloudRate: bigint): Pick<QuotedRate, 'markup' | 'markupPercent'> {
  return {
    markup: formatRate(rate - cloudRate),
    ...(cloudRate === 0n ? {} : { markupPercent: percent(rate - cloudRate, cloudRate) }),
  }
}

/** Hundredths of a percent, half away from zero, written with two decimals. */
function percent(part: bigint, whole: bigint): string {
  const hundredths = divideHalfAwayFromZero(part * 10_000n, whole)
  const digits = (hundredths < 0n ? -hundredths : hundredths).toString().padStart(3, '0')
  return `${hundredths < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

function warning(dimension: string, rate: bigint, cloudRate: bigint, monthly: bigint, currency: Currency): string {
  const loss = cloudRate - rate
  const sentence = `An hour of ${describeDimension(dimension)} sells for ${formatRate(rate)} and costs ${formatRate(cloudRate)}: ${formatRate(loss)} ${currency} are lost on each`
  const hours = (monthly * nanoPerMajor) / (minorPerMajor(currency) * loss)
  return monthly === 0n ? `${sentence}.` : `${sentence}; the monthly charge makes up for ${hours} hours a month.`
}
