/**
 * Parameters that several routes take. The message of each is the noun for what is allowed, of which `refuse-input.ts` makes a
 * sentence: `limit is "many", not a whole number from 1 to 100.`
 */
import { z } from 'zod'
import type { Month } from '../../base/period.ts'
import { parseInstant } from '../../base/time.ts'

const pageMax = 100

/** How many at the most: 100, and fewer when asked. */
export function limit(ofDefault = pageMax) {
  const noun = `a whole number from 1 to ${pageMax}`
  return z.coerce.number(noun).int(noun).min(1, noun).max(pageMax, noun).default(ofDefault)
}

const monthNoun = 'a month such as 2026-06'
export const month = z
  .string(monthNoun)
  .regex(/^[12]\d{3}-(0[1-9]|1[0-2])$/, monthNoun)
  .transform((text) => text as Month)

export const optionalMonth = month.optional().describe('The present month when left out')

const instantNoun = 'an instant such as 2026-07-01T00:00:00Z, or a day such as 2026-07-01'
export const instant = z
  .string(instantNoun)
  .refine((text) => parseInstant(text) !== undefined, instantNoun)
  .transform((text) => parseInstant(text) ?? new Date(Number.NaN))

const accountNoun = 'an account id of twelve digits'
export const accountId = z.string(accountNoun).regex(/^\d{12}$/, accountNoun)

const productNoun = 'a product code of eight upper-case hex digits'
export const productCode = z.string(productNoun).regex(/^[0-9A-F]{8}$/, productNoun)

const accessKeyNoun = 'an access key id of 16 to 32 upper-case letters and digits'
export const accessKeyId = z.string(accessKeyNoun).regex(/^[A-Z0-9]{16,32}$/, accessKeyNoun)

/** A UUID, in lower case as we write it. */
export function uuid(what: string) {
  return z.guid(`${what}, a UUID`).toLowerCase()
}

const addressNoun = 'an e-mail address'
export const emailAddress = z.email(addressNoun).max(254, addressNoun)

/** `true` or `false`, as query strings say it. */
export const flag = z.stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive', error: 'true or false' })

/** The page goes on behind this: the `next` of the page before. */
export const behind = 'The `next` of the page before'
