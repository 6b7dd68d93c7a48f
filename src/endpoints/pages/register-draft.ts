/** What a seller has typed into the registration form, before anything of it is checked. */
import { instanceHours } from '../../products/dimension.ts'
import type { ProductInput } from '../../products/product-input.ts'
import type { EndOfAccessPolicy } from '../../products/products.ts'
import type { RateCard } from '../../products/rate-card.ts'
import { field } from './reader.ts'
import type { FormFields } from '../../http/route-kind.ts'

/** Fields of one line or several, by the name they have in `ProductInput`. */
export const textFields = [
  'companyName',
  'name',
  'description',
  'redirectUrl',
  'terms',
  'privateContactEmail',
  'privateContactTelephone',
  'publicContact',
  'oneTime',
  'monthly',
  'endOfAccessPolicy',
] as const
export type TextField = (typeof textFields)[number]

export interface ProductDraft {
  readonly texts: Readonly<Record<TextField, string>>
  readonly regions: readonly string[]
  readonly environments: readonly string[]
  readonly instanceTypes: readonly string[]
  /** Dimension → rate as typed. */
  readonly rates: ReadonlyMap<string, string>
  /** Makes sending the form twice harmless. */
  readonly nonce: string
}

export function emptyDraft(from: { companyName: string; email: string; nonce: string }): ProductDraft {
  const texts = Object.fromEntries(textFields.map((name) => [name, ''])) as Record<TextField, string>
  return {
    texts: {
      ...texts,
      companyName: from.companyName,
      privateContactEmail: from.email,
      endOfAccessPolicy: 'stop',
    },
    regions: [],
    environments: [],
    instanceTypes: [],
    rates: new Map(),
    nonce: from.nonce,
  }
}

const ratePrefix = 'rate:'

/** The name of the field for a dimension's rate. */
export function rateField(dimension: string): string {
  return ratePrefix + dimension
}

export function readDraft(body: unknown): ProductDraft {
  const fields = body as FormFields
  return {
    texts: Object.fromEntries(textFields.map((name) => [name, field(fields, name)])) as Record<TextField, string>,
    regions: several(fields, 'regions'),
    environments: several(fields, 'environments'),
    instanceTypes: several(fields, 'instanceTypes'),
    rates: new Map(
      Object.keys(fields)
        .filter((name) => name.startsWith(ratePrefix))
        .map((name): [string, string] => [name.slice(ratePrefix.length), field(fields, name).trim()])
        .filter(([, rate]) => rate !== ''),
    ),
    nonce: field(fields, 'nonce'),
  }
}

/** The draft as a registration. Only rates of the cloud's own dimensions are fields of the form; others are left out. */
export function inputOf(draft: ProductDraft, rateCard: RateCard): ProductInput {
  const { oneTime, monthly, terms, endOfAccessPolicy, ...texts } = draft.texts
  return {
    ...texts,
    ...(terms.trim() !== '' && { terms }),
    configuration: {
      regions: [...draft.regions],
      environments: [...draft.environments],
      instanceTypes: [...draft.instanceTypes],
    },
    price: {
      ...(oneTime.trim() !== '' && { oneTime }),
      ...(monthly.trim() !== '' && { monthly }),
      rates: ratedRows(draft, rateCard).map(({ region, environment, instanceType, rate }) => ({
        region,
        environment,
        instanceType,
        rate,
      })),
    },
    currency: rateCard.currency,
    endOfAccessPolicy: endOfAccessPolicy as EndOfAccessPolicy,
  }
}

/** The rates typed, in the order in which `inputOf` lists them: problems name them by their place. */
export function ratedRows(draft: ProductDraft, rateCard: RateCard) {
  return dimensionsOf(rateCard).flatMap((row) => {
    const rate = draft.rates.get(row.dimension)
    return rate === undefined ? [] : [{ ...row, rate }]
  })
}

/** Everything the cloud offers, in the order of its catalog. */
export function dimensionsOf({ catalog, offers }: RateCard) {
  return catalog.regions.flatMap((region) =>
    catalog.environments.flatMap((environment) =>
      catalog.instanceTypes
        .map(({ name: instanceType }) => ({ region, environment, instanceType }))
        .filter(offers)
        .map((row) => ({ ...row, dimension: instanceHours(row) })),
    ),
  )
}

function several(fields: FormFields, name: string): string[] {
  const value = fields[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : [...value]
}
