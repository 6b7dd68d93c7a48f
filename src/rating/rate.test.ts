import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nanoPerMajor, parseRate } from '../base/money.ts'
import { monthPeriod } from '../base/period.ts'
import type { PriceVersion } from '../products/products.ts'
import { rate } from './rate.ts'
import { pricePeriods, type CloudRates } from './rating.ts'

const large = 'InstanceHours:us-east-1:linux:m1.large'
const small = 'InstanceHours:us-east-1:linux:m1.small'
const june = monthPeriod('2026-06')

function price(version: number, effectiveAt: string, rates: Record<string, string>): PriceVersion {
  return {
    productCode: '774F4FF8',
    version,
    effectiveAt: new Date(effectiveAt),
    oneTime: 0n,
    monthly: 0n,
    currency: 'USD',
    rates: new Map(Object.entries(rates).map(([dimension, text]) => [dimension, parseRate(text)])),
  }
}

function cloud(version: number, effectiveAt: string, rates: Record<string, string>): CloudRates {
  const { rates: map, currency } = price(version, effectiveAt, rates)
  return { version, effectiveAt: new Date(effectiveAt), currency, rates: map }
}

describe('rate', () => {
  it('prices 3 large hours at $0.50 and owes the cloud $0.34 for each', () => {
    const inForce = {
      price: price(1, '2026-01-01', { [large]: '0.50' }),
      cloud: cloud(4, '2026-01-01', { [large]: '0.34' }),
    }
    expect(rate({ dimension: large, quantity: 3n }, inForce)).toEqual({
      priceVersion: 1,
      rateNano: 500_000_000n,
      amount: 150n,
      rateCardVersion: 4,
      costRateNano: 340_000_000n,
      cost: 102n,
    })
  })

  it('charges nothing for a dimension the price does not name, and owes the cloud for it', () => {
    const inForce = { price: price(1, '2026-01-01', {}), cloud: cloud(4, '2026-01-01', { [small]: '0.085' }) }
    expect(rate({ dimension: small, quantity: 5n }, inForce)).toMatchObject({ rateNano: 0n, amount: 0n, cost: 43n })
  })

  it('owes nothing where the cloud has no rate, or no rate card was ever loaded', () => {
    const sold = price(1, '2026-01-01', { [small]: '0.2' })
    expect(rate({ dimension: small, quantity: 5n }, { price: sold, cloud: cloud(4, '2026-01-01', {}) })).toMatchObject({
      amount: 100n,
      rateCardVersion: 4,
      costRateNano: null,
      cost: 0n,
    })
    expect(rate({ dimension: small, quantity: 5n }, { price: sold, cloud: undefined }).rateCardVersion).toBeNull()
  })

  it('refuses a rate card in another currency than the price', () => {
    const inForce = {
      price: price(1, '2026-01-01', {}),
      cloud: { ...cloud(4, '2026-01-01', {}), currency: 'EUR' as const },
    }
    expect(() => rate({ dimension: small, quantity: 1n }, inForce)).toThrow('priced in USD')
  })

  it('rounds once and half away from zero: never more than half a cent from the exact product', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 9n), fc.bigInt(0n, 10n ** 12n), (quantity, rateNano) => {
        const sold: PriceVersion = { ...price(1, '2026-01-01', {}), rates: new Map([[small, rateNano]]) }
        const { amount } = rate({ dimension: small, quantity }, { price: sold, cloud: undefined })
        const exactTimes = quantity * rateNano * 100n
        const twiceOff = 2n * (amount * nanoPerMajor - exactTimes)
        expect(twiceOff > -nanoPerMajor && twiceOff <= nanoPerMajor).toBe(true)
      }),
    )
  })
})

describe('pricePeriods', () => {
  it('cuts at price changes and at rate card changes, each part with the versions in force at its start', () => {
    const prices = [price(1, '2026-05-10', {}), price(2, '2026-06-11', {}), price(3, '2026-07-01', {})]
    const cards = [cloud(1, '2026-01-01', {}), cloud(2, '2026-06-21', {})]
    const parts = pricePeriods(june, prices, cards).map(
      (part) => `${part.start.toISOString().slice(0, 10)} price ${part.price.version} card ${part.cloud?.version}`,
    )
    expect(parts).toEqual(['2026-06-01 price 1 card 1', '2026-06-11 price 2 card 1', '2026-06-21 price 2 card 2'])
  })

  it('keeps the first month whole: before its first version a price is its first version', () => {
    const parts = pricePeriods(june, [price(1, '2026-06-03', {})], [cloud(1, '2026-06-02', {})])
    expect(parts.map((part) => [part.start, part.end, part.price.version, part.cloud?.version])).toEqual([
      [june.start, june.end, 1, 1],
    ])
  })

  it('refuses a product without a price', () => {
    expect(() => pricePeriods(june, [], [])).toThrow('has a price')
  })
})
