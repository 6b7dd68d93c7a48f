/** The building blocks of parameters, and the check of a request's parameters with Stripe's error codes. */
import { z } from 'zod'
import { invalidRequest } from './sandbox.ts'
import type { FormValue, FormValues } from './read-form.ts'

export const text = z.string().max(5000)
export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, 'Invalid integer')
  .transform(Number)
export const positiveInteger = integer.pipe(z.number().int().min(1, 'This value must be greater than or equal to 1.'))
export const flag = z.enum(['true', 'false'], 'Invalid boolean').transform((value) => value === 'true')
export const country = z.string().regex(/^[A-Z]{2}$/, 'Expected a country of two upper-case letters, such as US.')
export const currency = z
  .string()
  .transform((value) => value.toLowerCase())
  .pipe(z.string().regex(/^[a-z]{3}$/, 'Invalid currency: expected three letters, such as usd.'))
export const webAddress = z.url({ protocol: /^https?$/, error: 'Not a valid URL' }).max(5000)

/** An empty string removes everything; an empty value removes its key. */
export const metadata = z.union([
  z.literal(''),
  z
    .record(z.string().min(1).max(40), z.string().max(500))
    .refine((values) => Object.keys(values).length <= 50, 'Metadata can have at most 50 keys.'),
])

/** A list, which form encoding writes as numbered keys. */
export function list<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value: unknown) => {
    if (value === '') return []
    if (typeof value !== 'object' || value === null) return value
    const held = value as FormValues
    const keys = Object.keys(held).map(Number)
    if (!keys.every((key) => Number.isInteger(key) && key >= 0)) return value
    return keys.sort((a, b) => a - b).map((key) => held[key])
  }, z.array(item).max(100))
}

/** How the making of an intent says what it is paid with. */
export const methodFields = {
  payment_method: text.optional(),
  allowed_payment_method_types: list(z.literal('card', 'The sandbox knows cards only.')).optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: z.enum(['always', 'never']).optional() })
    .optional(),
}

/** What every list takes. */
export const paging = {
  limit: integer.pipe(z.number().min(1).max(100)).default(10),
  starting_after: text.optional(),
  ending_before: text.optional(),
  created: z
    .union([
      integer,
      z.strictObject({
        gt: integer.optional(),
        gte: integer.optional(),
        lt: integer.optional(),
        lte: integer.optional(),
      }),
    ])
    .optional(),
}

export type Paging = z.output<z.ZodObject<typeof paging>>

/**
 * @throws Refusal 400 naming the parameter: unknown, missing or invalid
 */
export function readParameters<Schema extends z.ZodType>(schema: Schema, values: FormValues): z.output<Schema> {
  const result = schema.safeParse(values)
  if (result.success) return result.data
  const issue = deepest(result.error.issues[0])
  const path = issue?.path.map(String) ?? []
  if (issue?.code === 'unrecognized_keys') {
    const param = nameOf([...path, issue.keys[0] ?? ''])
    throw invalidRequest(`Received unknown parameter: ${param}`, 'parameter_unknown', param)
  }
  const param = nameOf(path)
  if (valueAt(values, path) === undefined) {
    throw invalidRequest(`Missing required param: ${param}.`, 'parameter_missing', param)
  }
  const code = issue?.message === 'Invalid integer' ? 'parameter_invalid_integer' : 'parameter_invalid'
  throw invalidRequest(`Invalid ${param}: ${issue?.message ?? 'not allowed'}`, code, param)
}

/** Of a union's complaints, the one that got furthest says what is wrong. */
function deepest(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue
  const inner = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0]
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] })
}

function nameOf(path: readonly string[]): string {
  const [head = '', ...rest] = path
  return head + rest.map((key) => `[${key}]`).join('')
}

function valueAt(values: FormValues, path: readonly string[]): FormValue | undefined {
  let value: FormValue | undefined = values
  for (const key of path) value = typeof value === 'object' ? value[key] : undefined
  return value
}
