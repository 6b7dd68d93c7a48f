/** What is wrong with a request's parameters, in sentences that name the parameter, what was found and what is allowed. */
import { z } from 'zod'
import { Fault } from '../../base/fault.ts'

type Issue = z.core.$ZodIssue

const foundCharactersMax = 60

interface RequestPart {
  readonly schema: unknown
  /** body, querystring, params or headers. */
  readonly httpPart?: string
}
type Check = (given: unknown) => { value: unknown } | { error: Fault }

/** Checks each part of a request against its schema; the refusal is a Fault whose data names the first bad parameter. */
export function refuseInput({ schema, httpPart }: RequestPart): Check {
  if (!(schema instanceof z.ZodType)) throw new Error(`the schema of a ${httpPart} is none of zod`)
  return (given) => {
    const result = schema.safeParse(given)
    if (result.success) return { value: result.data }
    return { error: refusal(result.error.issues, schema, given, httpPart) }
  }
}

/**
 * For routes whose body the domain checks, in sentences of its own: only that there is one is looked at here.
 *
 * @see checkShape of products/product-input.ts
 */
export function refuseInputButBody(part: RequestPart): Check {
  if (part.httpPart !== 'body') return refuseInput(part)
  return (given) => (isRecord(given) ? { value: given } : { error: bodyMissing(fieldsOf(part.schema)) })
}

function refusal(issues: readonly Issue[], schema: unknown, given: unknown, httpPart: string | undefined): Fault {
  const names = fieldsOf(schema)
  if (httpPart === 'body' && !isRecord(given)) return bodyMissing(names)
  // A parameter that is not known is told first: it is often another one's name misspelt.
  const [first, ...rest] = issues.flatMap((issue) => problems(issue, names, given, httpPart)).toSorted(unknownFirst)
  const sentences = [first, ...rest].map((problem) => problem?.sentence)
  return new Fault(first?.code ?? 'InvalidParameter', sentences.join(' '), {
    data: { parameter: first?.name ?? '' },
  })
}

interface Problem {
  readonly name: string
  readonly sentence: string
  readonly code: 'UnknownParameter' | 'MissingParameter' | 'InvalidParameter'
}

function problems(issue: Issue, names: readonly string[], given: unknown, httpPart: string | undefined): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = names.length === 0 ? 'it takes none' : `it takes ${names.join(', ')}`
    const kind = httpPart === 'body' ? 'field of this body' : 'parameter of this address'
    return issue.keys.map((name) => ({
      name,
      code: 'UnknownParameter',
      sentence: `${quote(name)} is no ${kind}; ${allowed}.`,
    }))
  }
  const name = issue.path.map(String).join('.')
  const found = issue.path.reduce<unknown>((value, step) => (isRecord(value) ? value[String(step)] : undefined), given)
  const noun = issue.message
  if (found === undefined) return [{ name, code: 'MissingParameter', sentence: `${name} is missing; give ${noun}.` }]
  return [{ name, code: 'InvalidParameter', sentence: `${name} is ${quote(found)}, not ${noun}.` }]
}

function unknownFirst(a: Problem, b: Problem): number {
  return Number(b.code === 'UnknownParameter') - Number(a.code === 'UnknownParameter')
}

function bodyMissing(names: readonly string[]): Fault {
  return new Fault(
    'MissingParameter',
    `The body is a JSON object with ${names.join(', ')}; send one as application/json.`,
    {
      data: { parameter: 'body' },
    },
  )
}

function fieldsOf(schema: unknown): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function quote(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > foundCharactersMax ? `${text.slice(0, foundCharactersMax)}…` : text
}
