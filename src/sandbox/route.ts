/** A route of the API: its parameters as a schema, what it does, and how objects named by id are expanded. */
import { z } from 'zod'
import type { Transaction } from '../database/database.ts'
import { list, readParameters, text, type Paging } from './parameters.ts'
import { Answer, invalidRequest, missing, type Call, type Kind, type SandboxObjects } from './sandbox.ts'
import { findAny, listObjects, type Page } from './store.ts'
import type { FormValues } from './read-form.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/v1/`; at most one `:id`. */
  readonly path: string
  run(call: Call, id: string, values: FormValues): Promise<Answer>
}

const expandSchema = z.object({ expand: list(text.regex(/^[a-z_]+(\.[a-z_]+){0,3}$/)).optional() })

/**
 * @param act answers with the object (status 200), or with an `Answer` when it is another status with lasting effects
 */
export function route<Shape extends z.ZodRawShape>(
  method: Route['method'],
  path: string,
  shape: Shape,
  act: (call: Call, parameters: z.output<z.ZodObject<Shape>>, id: string) => Promise<object>,
): Route {
  const schema = z.strictObject(shape) as unknown as z.ZodObject<Shape>
  return {
    method,
    path,
    async run(call, id, values) {
      const { expand, ...others } = values
      const paths = readParameters(expandSchema, expand === undefined ? {} : { expand }).expand ?? []
      const answer = await act(call, readParameters(schema, others), id)
      if (answer instanceof Answer) return answer
      const body = structuredClone(answer)
      for (const dotted of paths) await expandPath(call.tx, body, dotted.split('.'), dotted)
      return new Answer(200, body)
    },
  }
}

async function expandPath(tx: Transaction, at: object, steps: readonly string[], dotted: string): Promise<void> {
  const [step, ...rest] = steps
  if (step === undefined) return
  const held = at as Record<string, unknown>
  if (Array.isArray(held[step])) {
    for (const item of held[step] as object[]) await expandPath(tx, item, rest, dotted)
    return
  }
  if (!Object.hasOwn(held, step)) throw invalidRequest(`This property cannot be expanded (${dotted}).`)
  if (typeof held[step] === 'string') {
    const found = await findAny(tx, held[step])
    if (found === undefined) throw invalidRequest(`This property cannot be expanded (${dotted}).`)
    held[step] = found
  }
  if (typeof held[step] === 'object' && held[step] !== null) await expandPath(tx, held[step], rest, dotted)
}

const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/**
 * A page of a list, the newest object first.
 *
 * @param where fields with the values asked for; a field with no value asked for is left out
 */
export async function answerList<K extends Kind>(
  call: Call,
  kind: K,
  parameters: Paging,
  where: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  url = `/v1/${kind.replace('.', '/')}s`,
): Promise<{ object: 'list'; data: SandboxObjects[K][]; has_more: boolean; url: string }> {
  const { limit, starting_after: startingAfter, ending_before: endingBefore, created } = parameters
  if (startingAfter !== undefined && endingBefore !== undefined)
    throw invalidRequest('You cannot parameterize both starting_after and ending_before.')
  const page: Page = {
    limit,
    startingAfter,
    endingBefore,
    created: readCreated(created),
    where: Object.entries(where).flatMap(([field, value]) =>
      value === undefined ? [] : [{ field, values: typeof value === 'string' ? [value] : value }],
    ),
  }
  const found = await listObjects(call.tx, kind, page)
  if (found === undefined) {
    const param = startingAfter === undefined ? 'ending_before' : 'starting_after'
    throw missing(kind, startingAfter ?? endingBefore ?? '', param)
  }
  return { object: 'list', data: found.slice(0, limit), has_more: found.length > limit, url }
}

function readCreated(created: Paging['created']): Page['created'] {
  if (created === undefined) return []
  if (typeof created === 'number') return [{ operator: '=', seconds: created }]
  return Object.entries(operators).flatMap(([name, operator]) => {
    const seconds = created[name as keyof typeof operators]
    return seconds === undefined ? [] : [{ operator, seconds }]
  })
}
