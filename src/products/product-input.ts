/** What a seller says when registering a product (spec §2, §3), and every rule that needs no database. */
import { z } from 'zod'
import { Fault } from '../base/fault.ts'
import { formatMinor, isCurrency, minorPerMajor, parseAmount, parseRate, type Currency } from '../base/money.ts'
import { instanceHours, isDimensionPart, type InstanceConfiguration } from './dimension.ts'
import { line, paragraphs } from './plain-text.ts'
import { endOfAccessPolicies } from './products.ts'
import { rateNanoMax } from './rate-card.ts'

const urlCharactersMax = 2000
/** The highest one-time or monthly charge, in major units: a slip of the pen beyond it is refused. */
const chargeMajorMax = 1_000_000n

const email = line(254).pipe(z.email('is not an e-mail address such as seller@example.com'))

const url = line(urlCharactersMax).pipe(
  z.string().transform((text, context) => {
    const problem = urlProblem(text)
    if (problem === undefined) return new URL(text).href
    context.addIssue({ code: 'custom', message: problem, input: text })
    return z.NEVER
  }),
)

/** The purchase adds two parameters of its own to this URL (spec §4); they must not be there already. */
const redirectUrl = url.refine(
  (text) => !['ActivationKey', 'ProductCode'].some((name) => new URL(text).searchParams.has(name)),
  'has a parameter ActivationKey or ProductCode; the purchase adds both itself',
)

const publicContact = line(urlCharactersMax).pipe(
  z.string().transform((text, context) => {
    if (z.email().safeParse(text).success && text.length <= 254) return text
    if (urlProblem(text) === undefined) return new URL(text).href
    context.addIssue({
      code: 'custom',
      message: 'is neither an e-mail address nor an http or https URL such as https://example.com/help',
      input: text,
    })
    return z.NEVER
  }),
)

const telephone = line(40).refine(
  (text) => /^[+\d][\d ()./x-]*$/.test(text) && text.replace(/\D/g, '').length >= 3,
  'is not a telephone number such as +1 206 555 0100',
)

const partName = z
  .string()
  .trim()
  .refine(isDimensionPart, 'is lower-case letters, digits, dots and dashes, such as us-east-1, linux or m1.small')

const partNames = (what: string, countMax: number) =>
  z
    .array(partName, `is missing; give a list of ${what}`)
    .min(1, `is empty; name at least one of the ${what}`)
    .max(countMax, `has more than ${countMax} entries`)
    .superRefine((names, context) => {
      for (const [index, name] of names.entries()) {
        if (names.indexOf(name) < index)
          context.addIssue({ code: 'custom', message: `"${name}" is there twice`, path: [index], input: name })
      }
    })

const configuration = z.strictObject({
  regions: partNames('regions', 100),
  environments: partNames('environments', 20),
  instanceTypes: partNames('instance types', 500),
})

const decimal = z.string('is a decimal string such as "20.00"').trim()

const price = z.strictObject({
  oneTime: decimal.optional(),
  monthly: decimal.optional(),
  rates: z
    .array(z.strictObject({ region: partName, environment: partName, instanceType: partName, rate: decimal }))
    .max(100_000)
    .optional(),
})

/** The part of the input that is about money: what `quotePrice` asks for too. */
export const pricingInput = z.strictObject({
  configuration,
  price,
  currency: z.string('is missing; give a currency such as USD').trim().refine(isCurrency, 'is not a known currency'),
})

/** Everything a registration says. Amounts and rates are decimal strings. */
export const productInput = z.strictObject({
  companyName: line(100),
  name: line(100),
  description: paragraphs(5000),
  redirectUrl,
  terms: paragraphs(50_000).optional(),
  privateContactEmail: email,
  privateContactTelephone: telephone,
  publicContact,
  ...pricingInput.shape,
  endOfAccessPolicy: z.enum(endOfAccessPolicies, `is one of ${endOfAccessPolicies.join(', ')}`).default('stop'),
  /** Stays a draft until it is submitted. */
  draft: z.boolean().default(false),
})

export type ProductInput = z.input<typeof productInput>
export type CheckedProductInput = z.output<typeof productInput>
export type PricingInput = z.input<typeof pricingInput>

/** A price as rows hold it. */
export interface CheckedPrice {
  readonly currency: Currency
  readonly oneTime: bigint
  readonly monthly: bigint
  readonly rates: ReadonlyMap<string, bigint>
}

/** Problems by field: path such as `price.rates[0].rate` → sentence. */
export type Problems = Map<string, string>

/**
 * Checks the shape and every field.
 *
 * @throws Fault InvalidParameter; `data` has a sentence for every bad field under its path
 */
export function checkShape<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const problems: Problems = new Map()
  for (const issue of result.error.issues) {
    const path = issue.path.reduce<string>(
      (text, step) =>
        typeof step === 'number' ? `${text}[${step}]` : text === '' ? String(step) : `${text}.${String(step)}`,
      '',
    )
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : undefined
    for (const key of keys ?? [undefined]) {
      const where = key === undefined ? path : path === '' ? key : `${path}.${key}`
      if (!problems.has(where))
        problems.set(where, key === undefined ? sentenceOf(issue) : 'is not a field of a product')
    }
  }
  throw refusal(problems)
}

/** The library's own message, where the schema has none, names types and not what to do. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) return issue.message
  const type =
    issue.expected === 'object' || issue.expected === 'array' ? `an ${issue.expected}` : `a ${issue.expected}`
  return issue.message.endsWith('received undefined') ? `is missing; give ${type}` : `is not ${type}`
}

/** One refusal that names every bad field. */
export function refusal(problems: Problems): Fault {
  const sentences = [...problems].map(([path, message]) => `${path === '' ? 'The product' : path} ${message}.`)
  return new Fault('InvalidParameter', sentences.join(' '), { data: Object.fromEntries(problems) })
}

/** Every combination the three lists cover. */
export function crossProduct(lists: CheckedProductInput['configuration']): InstanceConfiguration[] {
  return lists.regions.flatMap((region) =>
    lists.environments.flatMap((environment) =>
      lists.instanceTypes.map((instanceType) => ({ region, environment, instanceType })),
    ),
  )
}

/**
 * Reads the price of an input whose shape is sound; what is wrong goes into `problems`.
 *
 * @param covered the dimensions of the configuration
 */
export function checkPrice(
  input: z.output<typeof pricingInput>,
  covered: ReadonlySet<string>,
  problems: Problems,
): CheckedPrice {
  const currency = input.currency
  const charge = (path: string, text: string | undefined): bigint =>
    text === undefined ? 0n : attempt(problems, path, () => readCharge(text, currency))
  const oneTime = charge('price.oneTime', input.price.oneTime)
  const monthly = charge('price.monthly', input.price.monthly)
  const rates = new Map<string, bigint>()
  for (const [index, row] of (input.price.rates ?? []).entries()) {
    const dimension = instanceHours(row)
    const path = `price.rates[${index}]`
    if (!covered.has(dimension)) problems.set(path, `is for ${dimension}, which the configuration does not cover`)
    else if (rates.has(dimension)) problems.set(path, `is a second rate for ${dimension}`)
    rates.set(
      dimension,
      attempt(problems, `${path}.rate`, () => readRate(row.rate)),
    )
  }
  const total = [oneTime, monthly, ...rates.values()]
  if (problems.size === 0 && total.every((amount) => amount === 0n)) {
    problems.set('price', 'charges nothing; set a one-time charge, a monthly charge or an hourly rate above zero')
  }
  return { currency, oneTime, monthly, rates }
}

function readCharge(text: string, currency: Currency): bigint {
  const { minor } = parseAmount(text, currency)
  const minorMax = chargeMajorMax * minorPerMajor(currency)
  if (minor < 0n) throw new Fault('InvalidAmount', `"${text}" is negative; a charge is zero or more`)
  if (minor > minorMax)
    throw new Fault(
      'InvalidAmount',
      `"${text}" is more than ${formatMinor(minorMax, currency)}, the most a charge may be`,
    )
  return minor
}

function readRate(text: string): bigint {
  const nano = parseRate(text)
  if (nano > rateNanoMax) throw new Fault('InvalidAmount', `"${text}" is more than 100000 an hour`)
  return nano
}

function attempt(problems: Problems, path: string, read: () => bigint): bigint {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    problems.set(path, `cannot be used: ${error.message.replace(/\.$/, '')}`)
    return 0n
  }
}

function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL such as https://example.com/welcome'
  const parsed = new URL(text)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return 'is not an http or https URL'
  if (parsed.username !== '' || parsed.password !== '') return 'holds a user name or password, which buyers would see'
  if (parsed.href.length > urlCharactersMax) return `has more than ${urlCharactersMax} characters`
  return undefined
}
