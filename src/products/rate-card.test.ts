import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newProduct, sampleRateCard } from '../../test/products.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Fault } from '../base/fault.ts'
import { instanceHours } from './dimension.ts'
import { cloudCatalog, rateCardInForce } from './find-rate-card.ts'
import { loadConfiguredRateCard, loadRateCard } from './load-rate-card.ts'
import { parseRateCard } from './rate-card.ts'

interface CardFile {
  currency: string
  regions: { name: string; zones: string[] }[]
  environments: string[]
  instanceTypes: Record<string, unknown>[]
  rates: Record<string, string>[]
}

/** The sample with one thing changed. */
function changedCard(change: (card: CardFile) => void): string {
  const card = JSON.parse(sampleRateCard) as CardFile
  change(card)
  return JSON.stringify(card)
}

function refusal(fileText: string): string {
  try {
    parseRateCard(fileText)
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return (error as Fault).message
  }
  throw new Error('the card was accepted')
}

describe('the file', () => {
  test('the sample is sound and complete', () => {
    const card = parseRateCard(sampleRateCard)
    expect(card.catalog.regions.map((region) => region.name)).toEqual(['us-east-1', 'eu-west-1'])
    const types = ['m1.small', 'm1.large', 'm1.xlarge', 'c1.medium', 't3.micro', 't3.small', 'm5.large']
    expect(card.catalog.instanceTypes.map((type) => type.name)).toEqual(types)
    expect(card.rates.size).toBe(2 * 2 * types.length)
    expect(card.rates.get('InstanceHours:us-east-1:linux:m1.small')).toBe(100_000_000n)
  })

  test.each<[string, (card: CardFile) => void, string]>([
    ['an unknown field', (card) => Object.assign(card, { colour: 'red' }), 'colour'],
    [
      'a number where a decimal string belongs',
      (card) => Object.assign(card.rates[3] ?? {}, { rate: 0.1 }),
      'rates[3].rate',
    ],
    ['a negative rate', (card) => Object.assign(card.rates[2] ?? {}, { rate: '-1' }), 'rates[2].rate'],
    ['a rate finer than nano', (card) => Object.assign(card.rates[2] ?? {}, { rate: '0.0000000001' }), 'rates[2].rate'],
    ['an absurd rate', (card) => Object.assign(card.rates[2] ?? {}, { rate: '100000.01' }), 'rates[2].rate'],
    [
      'a rate for an unknown region',
      (card) => Object.assign(card.rates[0] ?? {}, { region: 'moon-1' }),
      'rates[0].region',
    ],
    ['a second rate', (card) => card.rates.push({ ...card.rates[0] }), 'rates[28]: a second rate'],
    ['a region without zones', (card) => Object.assign(card.regions[1] ?? {}, { zones: [] }), 'regions[1].zones'],
    ['a region twice', (card) => card.regions.push({ name: 'us-east-1', zones: ['z'] }), 'regions[2].name'],
    [
      'a type without a rate',
      (card) => (card.rates = card.rates.filter((row) => row['instanceType'] !== 't3.micro')),
      '"t3.micro" has no rate',
    ],
    ['a name with a colon', (card) => card.environments.push('a:b'), 'environments[2]'],
    ['a currency nobody has', (card) => (card.currency = 'XXX'), 'currency'],
    [
      'half a processor',
      (card) => Object.assign(card.instanceTypes[0] ?? {}, { vcpus: 0.5 }),
      'instanceTypes[0].vcpus',
    ],
  ])('%s is refused by its path', (_name, change, path) => {
    expect(refusal(changedCard(change))).toContain(path)
  })

  test('what is no JSON is refused', () => {
    expect(refusal('{')).toContain('is not JSON')
    expect(refusal('[]')).toContain('the file')
  })
})

describe('loading', () => {
  let house: TestDatabase
  beforeAll(async () => {
    house = await testDatabase()
  })
  afterAll(() => house.close())

  const load = (text: string) => house.database.transaction((tx) => loadRateCard(tx, text))
  const smallLinux = instanceHours({ region: 'us-east-1', environment: 'linux', instanceType: 'm1.small' })

  test('before any card nothing has a rate', async () => {
    await expect(house.database.read((tx) => rateCardInForce(tx, tx.now))).rejects.toMatchObject({
      code: 'InvalidConfiguration',
    })
  })

  test('the same file is one version, however many processes start at once', async () => {
    const loads = await Promise.all(Array.from({ length: 5 }, () => house.database.transaction(loadConfiguredRateCard)))
    expect(loads.filter((one) => one.loaded)).toHaveLength(1)
    expect(loads.every((one) => one.version === 1)).toBe(true)
    expect(await house.database.read(cloudCatalog)).toMatchObject({
      regions: ['us-east-1', 'eu-west-1'],
      environments: ['linux', 'windows'],
    })
    const catalog = await house.database.read(cloudCatalog)
    expect(catalog.zonesOf('eu-west-1')).toEqual(['eu-west-1a', 'eu-west-1b'])
    expect(catalog.zonesOf('moon-1')).toEqual([])
    expect(catalog.instanceType('m1.large')).toMatchObject({ vcpus: 2, memoryMib: 7680 })
  })

  test('a changed file is in force from now on, and an older one may come back', async () => {
    const dearer = changedCard((card) => Object.assign(card.rates[0] ?? {}, { rate: '0.123' }))
    const before = new Date('2026-06-01T00:00:00Z')
    const changed = new Date('2026-06-10T12:00:00Z')
    await house.setClock(changed)
    expect(await load(dearer)).toEqual({ version: 2, loaded: true })
    expect(await load(dearer)).toEqual({ version: 2, loaded: false })
    const rateAt = (at: Date) => house.database.read(async (tx) => (await rateCardInForce(tx, at)).rateOf(smallLinux))
    expect(await rateAt(before)).toBe(100_000_000n)
    expect(await rateAt(new Date(changed.getTime() - 1))).toBe(100_000_000n)
    expect(await rateAt(changed)).toBe(123_000_000n)
    // At the very same instant the later version counts.
    expect(await load(sampleRateCard)).toEqual({ version: 3, loaded: true })
    expect(await rateAt(changed)).toBe(100_000_000n)
  })

  test('a transaction that loads a card has it in force at once; undone, it was never there', async () => {
    const dearest = changedCard((card) => Object.assign(card.rates[0] ?? {}, { rate: '0.456' }))
    const seen: bigint[] = []
    const undone = house.database.transaction(async (tx) => {
      const look = async (): Promise<void> => void seen.push((await rateCardInForce(tx, tx.now)).rateOf(smallLinux))
      await look()
      await loadRateCard(tx, dearest)
      await look()
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await house.database.read(async (tx) => seen.push((await rateCardInForce(tx, tx.now)).rateOf(smallLinux)))
    expect(seen).toEqual([100_000_000n, 456_000_000n, 100_000_000n])
  })

  test('a start adds only a file that was never loaded: it undoes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnpike-rate-card-'))
    const file = join(folder, 'card.json')
    const start = (rateCard?: string) =>
      house.database.transaction((tx) => loadConfiguredRateCard({ ...tx, config: { ...tx.config, rateCard } }))
    const own = changedCard((card) => Object.assign(card.rates[1] ?? {}, { rate: '0.456' }))
    writeFileSync(file, own)
    expect(await start(file)).toEqual({ version: 4, loaded: true })
    expect(await start(file)).toEqual({ version: 4, loaded: false })
    expect(await start()).toEqual({ version: 4, loaded: false })
    expect(await load(sampleRateCard)).toEqual({ version: 5, loaded: true })
    expect(await start(file)).toEqual({ version: 5, loaded: false })
    rmSync(folder, { recursive: true })
    await expect(start(file)).rejects.toThrow(`The rate card ${file} cannot be read`)
  })

  test('what products are sold for keeps its rate, and the card its currency', async () => {
    await newProduct(house.database)
    const without = changedCard((card) => {
      card.rates = card.rates.filter((row) => row['instanceType'] !== 'm1.small' || row['region'] !== 'us-east-1')
    })
    await expect(load(without)).rejects.toThrow(`none for ${smallLinux}, which products are sold for`)
    await expect(load(changedCard((card) => (card.currency = 'EUR')))).rejects.toThrow('currency: it is EUR')
    const unsold = changedCard((card) => {
      card.rates = card.rates.filter((row) => row['instanceType'] !== 'm1.small' || row['region'] !== 'eu-west-1')
    })
    expect(await load(unsold)).toMatchObject({ loaded: true })
    const card = await house.database.read((tx) => rateCardInForce(tx, tx.now))
    expect(card.offers({ region: 'eu-west-1', environment: 'linux', instanceType: 'm1.small' })).toBe(false)
    expect(() => card.rateOf('InstanceHours:eu-west-1:linux:m1.small')).toThrow('has no rate')
  })
})
