import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleProduct, sampleRateCard } from '../../test/products.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { loadRateCard } from './load-rate-card.ts'
import { parseDimension } from './dimension.ts'
import { quotePrice } from './quote-price.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
  await house.database.transaction((tx) => loadRateCard(tx, sampleRateCard))
})
afterAll(() => house.close())

test('shows rate, cost and markup of every covered dimension', async () => {
  const { configuration, price, currency } = sampleProduct()
  const quote = await house.database.read((tx) => quotePrice(tx, { configuration, price, currency }))
  expect(quote).toMatchObject({ currency: 'USD', oneTime: '0.00', monthly: '20.00', rateCardVersion: 1, warnings: [] })
  expect(quote.rates[0]).toEqual({
    region: 'us-east-1',
    environment: 'linux',
    instanceType: 'm1.small',
    dimension: 'InstanceHours:us-east-1:linux:m1.small',
    rate: '0.20',
    cloudRate: '0.10',
    markup: '0.10',
    markupPercent: '100.00',
  })
  expect(quote.rates.map((row) => row.markupPercent)).toEqual(['100.00', '25.00', '12.50'])
})

test('warns of every dimension that loses money, priced or not', async () => {
  const { configuration, currency } = sampleProduct()
  const rates = [{ region: 'us-east-1', environment: 'linux', instanceType: 'm1.small', rate: '0.0667' }]
  const quote = await house.database.read((tx) =>
    quotePrice(tx, { configuration, price: { monthly: '20.00', rates }, currency }),
  )
  expect(quote.rates[0]).toMatchObject({ markup: '-0.0333', markupPercent: '-33.30' })
  expect(quote.rates[2]).toMatchObject({ rate: '0.00', markup: '-0.80', markupPercent: '-100.00' })
  expect(quote.warnings).toEqual([
    'An hour of m1.small, linux, us-east-1 sells for 0.0667 and costs 0.10: 0.0333 USD are lost on each; the monthly charge makes up for 600 hours a month.',
    'An hour of m1.large, linux, us-east-1 sells for 0.00 and costs 0.40: 0.40 USD are lost on each; the monthly charge makes up for 50 hours a month.',
    'An hour of m1.xlarge, linux, us-east-1 sells for 0.00 and costs 0.80: 0.80 USD are lost on each; the monthly charge makes up for 25 hours a month.',
  ])
})

test('refuses what registration refuses', async () => {
  const { configuration, currency } = sampleProduct()
  const quoting = house.database.read((tx) => quotePrice(tx, { configuration, price: { monthly: '1.234' }, currency }))
  await expect(quoting).rejects.toMatchObject({ code: 'InvalidParameter' })
})

test('a dimension reads back what it was made of', () => {
  expect(parseDimension('InstanceHours:us-east-1:linux:m1.small')).toEqual({
    kind: 'InstanceHours',
    region: 'us-east-1',
    environment: 'linux',
    instanceType: 'm1.small',
  })
  for (const text of ['', 'Hours:a:b:c', 'InstanceHours:a:b', 'InstanceHours:a:b:c:d', 'InstanceHours:a::c']) {
    expect(() => parseDimension(text)).toThrow('is not a dimension')
  }
})
