import type { Config } from '../base/config.ts'
import type { Currency } from '../base/money.ts'

/** The smallest charges card processors make, in minor units (Stripe's published ones); a smaller bill cannot be collected. */
const smallestCharge: Readonly<Record<Currency, bigint>> = {
  USD: 50n,
  EUR: 50n,
  GBP: 30n,
  CHF: 50n,
  CAD: 50n,
  AUD: 50n,
  SEK: 300n,
  NOK: 300n,
  DKK: 250n,
  PLN: 200n,
  CZK: 1500n,
  JPY: 50n,
  KRW: 50n,
}

/** Bills below this carry forward (spec §5): what is configured, and never less than what a card can be charged. */
export function minimumBill(config: Pick<Config, 'minimumBill'>, currency: Currency): bigint {
  const smallest = smallestCharge[currency]
  return config.minimumBill > smallest ? config.minimumBill : smallest
}
