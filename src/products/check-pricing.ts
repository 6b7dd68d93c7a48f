import type { z } from 'zod'
import type { Transaction } from '../database/database.ts'
import { instanceHours, type InstanceConfiguration } from './dimension.ts'
import { rateCardInForce } from './find-rate-card.ts'
import {
  checkPrice,
  crossProduct,
  refusal,
  type CheckedPrice,
  type Problems,
  type pricingInput,
} from './product-input.ts'
import type { RateCard } from './rate-card.ts'

/** Configuration and price of an input, found to agree with the cloud. */
export interface CheckedPricing {
  readonly configuration: readonly InstanceConfiguration[]
  readonly price: CheckedPrice
  readonly rateCard: RateCard
}

/**
 * Holds configuration and price against the rate card in force: only what the cloud knows can be sold, only what is
 * configured can be priced, and in the rate card's currency.
 *
 * @throws Fault InvalidParameter with a sentence for every bad field
 */
export async function checkPricing(tx: Transaction, input: z.output<typeof pricingInput>): Promise<CheckedPricing> {
  const rateCard = await rateCardInForce(tx, tx.now)
  const problems: Problems = new Map()
  const { catalog } = rateCard
  const known = {
    regions: { names: catalog.regions, what: 'region' },
    environments: { names: catalog.environments, what: 'environment' },
    instanceTypes: { names: catalog.instanceTypes.map((type) => type.name), what: 'instance type' },
  }
  for (const key of ['regions', 'environments', 'instanceTypes'] as const) {
    for (const [index, name] of input.configuration[key].entries()) {
      if (known[key].names.includes(name)) continue
      problems.set(
        `configuration.${key}[${index}]`,
        `"${name}" is not ${article(known[key].what)} of this cloud; it has ${known[key].names.join(', ')}`,
      )
    }
  }
  const configuration = crossProduct(input.configuration)
  if (problems.size === 0) {
    const missing = configuration.filter((row) => !rateCard.offers(row)).map(instanceHours)
    if (missing.length > 0) {
      const more = missing.length > 5 ? ` and ${missing.length - 5} more` : ''
      problems.set('configuration', `covers what this cloud does not offer: ${missing.slice(0, 5).join(', ')}${more}`)
    }
  }
  if (input.currency !== rateCard.currency) {
    problems.set(
      'currency',
      `is ${input.currency}; for now a product is priced in the currency of the cloud's own rates, ${rateCard.currency}`,
    )
  }
  const price = checkPrice(input, new Set(configuration.map(instanceHours)), problems)
  if (problems.size > 0) throw refusal(problems)
  return { configuration, price, rateCard }
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`
}
