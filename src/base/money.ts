/**
 * Money: a whole number of minor units of one currency, as a bigint. Never a JavaScript number, never a float
 * column. Rates (a price per hour, say) are finer: whole numbers of 10⁻⁹ of the major unit ("nano").
 */
import { Fault } from './fault.ts'
import { divideHalfAwayFromZero } from './rounding.ts'

/** Currencies Turnpike sells in, with the decimals of their minor unit (ISO 4217). */
const decimalsOfCurrency = {
  USD: 2,
  EUR: 2,
  GBP: 2,
  CHF: 2,
  CAD: 2,
  AUD: 2,
  SEK: 2,
  NOK: 2,
  DKK: 2,
  PLN: 2,
  CZK: 2,
  JPY: 0,
  KRW: 0,
} as const

export type Currency = keyof typeof decimalsOfCurrency

/** An exact amount: `minor` minor units (cents) of `currency`. */
export interface Amount {
  readonly minor: bigint
  readonly currency: Currency
}

export const currencies = Object.keys(decimalsOfCurrency) as Currency[]

/** Nano units in one major unit: a rate of `200_000_000n` is 0.20 an hour. */
export const nanoPerMajor = 1_000_000_000n

export function isCurrency(text: string): text is Currency {
  return Object.hasOwn(decimalsOfCurrency, text)
}

/** How many minor units make one major unit: 100 for USD, 1 for JPY. */
export function minorPerMajor(currency: Currency): bigint {
  return 10n ** BigInt(decimalsOfCurrency[currency])
}

/**
 * Reads a decimal amount such as `20`, `20.00` or `-0.5`.
 *
 * @throws Fault InvalidAmount when it is no decimal number or finer than the currency's minor unit
 */
export function parseAmount(text: string, currency: Currency): Amount {
  return { minor: parseDecimal(text, decimalsOfCurrency[currency], `an amount in ${currency}`), currency }
}

/** Writes an amount as a decimal string with all of its currency's decimals: `24.67`, `-0.30`, `100` for JPY. */
export function formatAmount(amount: Amount): string {
  return formatDecimal(amount.minor, decimalsOfCurrency[amount.currency], decimalsOfCurrency[amount.currency])
}

/** Minor units as a decimal string, where the currency stands beside it. */
export function formatMinor(minor: bigint, currency: Currency): string {
  return formatAmount({ minor, currency })
}

/** An amount for people: `$24.67`, `€1,000.00`. */
export function displayAmount(amount: Amount): string {
  const sign = amount.minor < 0n ? '-' : ''
  const magnitude = amount.minor < 0n ? -amount.minor : amount.minor
  const [whole = '0', fraction] = formatDecimal(
    magnitude,
    decimalsOfCurrency[amount.currency],
    decimalsOfCurrency[amount.currency],
  ).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const digits = fraction === undefined ? grouped : `${grouped}.${fraction}`
  const symbol = symbols[amount.currency]
  return symbol === undefined ? `${sign}${digits} ${amount.currency}` : `${sign}${symbol}${digits}`
}

const symbols: Partial<Record<Currency, string>> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥' }

/**
 * Reads a rate in nano units of the major unit: `0.20` is 200,000,000.
 *
 * @throws Fault InvalidAmount when it is negative, no decimal number or has more than nine decimals
 */
export function parseRate(text: string): bigint {
  const nano = parseDecimal(text, 9, 'a rate')
  if (nano < 0n) throw new Fault('InvalidAmount', `"${text}" is negative; a rate is zero or more.`)
  return nano
}

/** Writes a rate with at least two decimals and no needless zeros: `0.20`, `0.0116`. */
export function formatRate(nano: bigint): string {
  return formatDecimal(nano, 9, 2)
}

/**
 * The price of a quantity: **the** rounding point of a usage line, half away from zero (spec §5).
 *
 * @param quantity whole units (hours begun, gigabytes, …)
 * @param rateNano nano units of the major unit per unit
 * @returns minor units of the currency
 */
export function priceQuantity(quantity: bigint, rateNano: bigint, currency: Currency): bigint {
  return divideHalfAwayFromZero(quantity * rateNano * minorPerMajor(currency), nanoPerMajor)
}

export function addAmounts(a: Amount, b: Amount): Amount {
  if (a.currency !== b.currency) throw new Error(`amounts of ${a.currency} and ${b.currency} do not add`)
  return { minor: a.minor + b.minor, currency: a.currency }
}

function parseDecimal(text: string, decimals: number, what: string): bigint {
  const match = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(text.trim())
  if (match === null) {
    throw new Fault('InvalidAmount', `"${text}" is not ${what}: digits with an optional decimal point, such as 20.00.`)
  }
  const [, sign = '', whole = '0', fraction = ''] = match
  if (fraction.replace(/0+$/, '').length > decimals) {
    throw new Fault('InvalidAmount', `"${text}" is finer than ${what} allows: at most ${decimals} decimals.`)
  }
  const magnitude = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
  return sign === '-' ? -magnitude : magnitude
}

function formatDecimal(value: bigint, decimals: number, decimalsMin: number): string {
  const sign = value < 0n ? '-' : ''
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  let fraction = digits.slice(digits.length - decimals)
  while (fraction.length > decimalsMin && fraction.endsWith('0')) fraction = fraction.slice(0, -1)
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`
}
