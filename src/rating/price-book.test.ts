import { afterAll, beforeAll, expect, it } from 'vitest'
import { at, hoursOf, writePrice, writeProduct, writeRateCard } from '../../test/books.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { monthPeriod } from '../base/period.ts'
import { PriceBook } from './price-book.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

it('reads what is in force in a month: versions from before, versions inside, none from after', async () => {
  const product = await at(house, '2026-05-10', async (tx) => {
    await writeRateCard(tx, { version: 1, rates: { 'm1.small': '0.1' } })
    await writeRateCard(tx, { version: 2, effectiveAt: new Date('2026-05-01'), rates: { 'm1.small': '0.09' } })
    await writeRateCard(tx, { version: 3, effectiveAt: new Date('2026-06-21'), rates: {} })
    await writeRateCard(tx, { version: 4, effectiveAt: new Date('2026-07-01'), rates: {} })
    const written = await writeProduct(tx, { monthly: '20', rates: { 'm1.small': '0.2', 'm1.large': '0.5' } })
    await writePrice(tx, written, { version: 2, effectiveAt: new Date('2026-06-11'), monthly: '30' })
    await writePrice(tx, written, { version: 3, effectiveAt: new Date('2026-07-01') })
    return written
  })
  const june = new PriceBook(monthPeriod('2026-06'))
  await house.database.read((tx) => june.load(tx, [product.productCode]))
  expect(june.periodsOf(product.productCode)).toMatchObject([
    { price: { version: 1, monthly: 2000n }, cloud: { version: 2 } },
    { price: { version: 2, monthly: 3000n }, cloud: { version: 2 } },
    { price: { version: 2 }, cloud: { version: 3 } },
  ])
  const [first] = june.periodsOf(product.productCode)
  expect(first?.price.rates).toEqual(
    new Map([
      [hoursOf('m1.large'), 500_000_000n],
      [hoursOf('m1.small'), 200_000_000n],
    ]),
  )
  expect(first?.cloud?.rates).toEqual(new Map([[hoursOf('m1.small'), 90_000_000n]]))
  expect(june.segments([product.productCode]).map((segment) => segment.start.toISOString().slice(0, 10))).toEqual([
    '2026-06-01',
    '2026-06-11',
    '2026-06-21',
  ])

  const april = new PriceBook(monthPeriod('2026-04'))
  await house.database.read((tx) => april.load(tx, [product.productCode]))
  expect(april.periodsOf(product.productCode)).toMatchObject([{ price: { version: 1 }, cloud: { version: 1 } }])
  expect(() => april.periodsOf('00000000')).toThrow('are loaded')
})
