/**
 * The rate card: the cloud's own regions, environments and instance types, and what the cloud charges for them. The
 * operator keeps it as a JSON file (docs/operating/rate-card.md); here are its form and its rules.
 */
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import { currencies, parseRate, type Currency } from '../base/money.ts'
import { instanceHours, isDimensionPart, type InstanceConfiguration } from './dimension.ts'

/** What the cloud says about an instance type. */
export interface InstanceType {
  readonly name: string
  readonly vcpus: number
  readonly memoryMib: number
  readonly architecture: 'i386' | 'x86_64' | 'arm64'
  readonly hypervisor?: 'xen' | 'nitro' | undefined
}

/** Everything the cloud offers, as stored in a version of the rate card. */
export interface CatalogData {
  readonly regions: readonly { readonly name: string; readonly zones: readonly string[] }[]
  readonly environments: readonly string[]
  readonly instanceTypes: readonly InstanceType[]
}

/** The catalog as other rooms ask it. */
export interface CloudCatalog {
  readonly regions: readonly string[]
  /** Empty for a region the cloud does not have. */
  zonesOf(region: string): readonly string[]
  readonly environments: readonly string[]
  readonly instanceTypes: readonly InstanceType[]
  instanceType(name: string): InstanceType | undefined
}

/** One loaded version of the rate card. */
export interface RateCard {
  readonly version: number
  readonly name: string
  readonly currency: Currency
  readonly effectiveAt: Date
  readonly catalog: CloudCatalog
  /** Every dimension the cloud has a rate for, in nano units of the major unit. */
  readonly rates: ReadonlyMap<string, bigint>
  /** Whether the cloud has a rate for it, and so lets it run. */
  offers(configuration: InstanceConfiguration): boolean
  /**
   * Nano units of the major unit of `currency` per unit of the dimension.
   *
   * @throws Error when the card has no rate for it: a defect, since neither a product's configuration nor a newer card
   * can leave what is sold without a rate
   */
  rateOf(dimension: string): bigint
}

/** A rate card file that was read and found to be sound. */
export interface ParsedRateCard {
  readonly name: string
  readonly currency: Currency
  readonly catalog: CatalogData
  readonly rates: ReadonlyMap<string, bigint>
}

/** The highest rate a card or a price may name, per hour: a slip of the pen beyond it is refused. */
export const rateNanoMax = 100_000n * 1_000_000_000n

const name = z
  .string()
  .refine(isDimensionPart, 'is lower-case letters, digits, dots and dashes, such as us-east-1, linux or m1.small')
const rate = z.string('is a decimal string such as "0.085"')

const rateCardFile = z.strictObject({
  name: z.string().trim().min(1, 'is not empty').max(100, 'has at most 100 characters'),
  currency: z.enum(currencies, `is one of ${currencies.join(', ')}`),
  regions: z
    .array(z.strictObject({ name, zones: z.array(name).min(1, 'names at least one zone').max(26) }))
    .min(1, 'names at least one region')
    .max(100),
  environments: z.array(name).min(1, 'names at least one environment').max(20),
  instanceTypes: z
    .array(
      z.strictObject({
        name,
        vcpus: z.int().min(1).max(4096),
        memoryMib: z.int().min(1).max(268_435_456),
        architecture: z.enum(['i386', 'x86_64', 'arm64']),
        hypervisor: z.enum(['xen', 'nitro']).optional(),
      }),
    )
    .min(1, 'names at least one instance type')
    .max(2000),
  rates: z
    .array(z.strictObject({ region: name, environment: name, instanceType: name, rate }))
    .min(1)
    .max(500_000),
})

/**
 * Reads the text of a rate card file.
 *
 * @throws Fault InvalidConfiguration naming the JSON path of everything that is wrong with it
 */
export function parseRateCard(fileText: string): ParsedRateCard {
  let json: unknown
  try {
    json = JSON.parse(fileText)
  } catch (error) {
    throw new Fault('InvalidConfiguration', `The rate card is not JSON: ${(error as Error).message}`)
  }
  const parsed = rateCardFile.safeParse(json)
  if (!parsed.success) {
    refuse(parsed.error.issues.map((issue) => `${jsonPath(issue.path)}: ${issue.message}`))
  }
  const { regions, environments, instanceTypes, rates: rows, ...rest } = parsed.data
  const problems: string[] = []
  findRepeats(problems, 'regions', regions, (region) => region.name, '.name')
  for (const [index, region] of regions.entries()) findRepeats(problems, `regions[${index}].zones`, region.zones, same)
  findRepeats(problems, 'environments', environments, same)
  findRepeats(problems, 'instanceTypes', instanceTypes, (type) => type.name, '.name')
  const catalog: CatalogData = { regions, environments, instanceTypes }
  const rates = readRates(problems, rows, catalog)
  if (problems.length > 0) refuse(problems)
  return { ...rest, catalog, rates }
}

/** A catalog that answers questions, made of what a version stores. */
export function openCatalog(data: CatalogData): CloudCatalog {
  const zones = new Map(data.regions.map((region) => [region.name, region.zones]))
  const types = new Map(data.instanceTypes.map((type) => [type.name, type]))
  return {
    regions: data.regions.map((region) => region.name),
    zonesOf: (region) => zones.get(region) ?? [],
    environments: data.environments,
    instanceTypes: data.instanceTypes,
    instanceType: (typeName) => types.get(typeName),
  }
}

function readRates(
  problems: string[],
  rows: readonly (InstanceConfiguration & { readonly rate: string })[],
  catalog: CatalogData,
): Map<string, bigint> {
  const known = {
    region: { list: 'regions', names: new Set(catalog.regions.map((region) => region.name)) },
    environment: { list: 'environments', names: new Set(catalog.environments) },
    instanceType: { list: 'instanceTypes', names: new Set(catalog.instanceTypes.map((type) => type.name)) },
  }
  const used = { region: new Set<string>(), environment: new Set<string>(), instanceType: new Set<string>() }
  const rates = new Map<string, bigint>()
  for (const [index, row] of rows.entries()) {
    for (const key of ['region', 'environment', 'instanceType'] as const) {
      used[key].add(row[key])
      if (!known[key].names.has(row[key]))
        problems.push(`rates[${index}].${key}: "${row[key]}" is not in ${known[key].list}`)
    }
    const dimension = instanceHours(row)
    if (rates.has(dimension)) problems.push(`rates[${index}]: a second rate for ${dimension}`)
    rates.set(dimension, readRate(problems, `rates[${index}].rate`, row.rate))
  }
  for (const key of ['region', 'environment', 'instanceType'] as const) {
    for (const listed of known[key].names) {
      if (!used[key].has(listed)) problems.push(`${known[key].list}: "${listed}" has no rate in rates`)
    }
  }
  return rates
}

function readRate(problems: string[], path: string, text: string): bigint {
  try {
    const nano = parseRate(text)
    if (nano <= rateNanoMax) return nano
    problems.push(`${path}: "${text}" is more than 100000 an hour`)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    problems.push(`${path}: ${error.message}`)
  }
  return 0n
}

function findRepeats<T>(
  problems: string[],
  path: string,
  items: readonly T[],
  key: (item: T) => string,
  suffix = '',
): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    if (seen.has(key(item))) problems.push(`${path}[${index}]${suffix}: "${key(item)}" is there twice`)
    seen.add(key(item))
  }
}

function same(text: string): string {
  return text
}

/** `rates[3].rate`, as a person looks for it in the file. */
function jsonPath(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the file'
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
    '',
  )
}

const problemsShownMax = 20

function refuse(problems: readonly string[]): never {
  const shown = problems.slice(0, problemsShownMax).map((problem) => `  - ${problem}`)
  if (problems.length > problemsShownMax) shown.push(`  - and ${problems.length - problemsShownMax} more`)
  throw new Fault(
    'InvalidConfiguration',
    `The rate card cannot be used:\n${shown.join('\n')}\nIts form is described in docs/operating/rate-card.md.`,
  )
}
