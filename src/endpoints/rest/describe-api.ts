/** The OpenAPI document, made from the schemas that requests and answers are held to. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { faultStatus } from '../../base/fault.ts'

/** Refusals that come from the server itself, before any verb is asked. */
const serverCodes = ['MalformedRequest', 'RequestTooLarge', 'UnsupportedMediaType']

const problemShape = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What was found, what is allowed, what to do. For people.'),
  code: z.string().describe(`For programs: ${[...Object.keys(faultStatus), ...serverCodes].join(', ')}.`),
  data: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'What a program may need besides: `parameter` is the name of what was wrong, or each bad field has a sentence.',
    ),
  requestId: z.string().describe('Also the answer’s X-Request-Id. Name it to the operator.'),
})
z.globalRegistry.add(problemShape, { id: 'Problem' })

const about = `Products, subscriptions, bills and payouts over JSON.

Amounts and rates are decimal strings, in the currency beside them; instants are ISO 8601 in UTC; months are \`2026-06\`.
A caller is an access key (HTTP Basic: id and secret), or a signed-in person by the session’s cookie, whose requests
that change something must come from a page of this service. Everyone sees what is their own; operators see more where
a route says so. What belongs to another account is answered as if it did not exist.

Lists answer pages: give \`next\` of one page to get the one behind it; there is none on the last. A parameter or a field
that is not described here is refused. Repeats are harmless: of POST /products by its Idempotency-Key, of every change
of state by itself.`

export const apiDocument: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Turnpike',
      version: '1',
      description: about,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'account', description: 'The caller’s own account and access keys' },
      { name: 'products', description: 'Registering, pricing and approving products' },
      { name: 'buyer', description: 'Subscriptions and bills of the caller' },
      { name: 'seller', description: 'What the caller’s products bring' },
      { name: 'operator', description: 'For accounts that operate the service' },
    ],
    components: {
      securitySchemes: {
        accessKey: { type: 'http', scheme: 'basic', description: 'Access key id and secret.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'turnpike.session_token',
          description: 'A signed-in person. Where the public address is https, the name begins with __Secure-.',
        },
      },
    },
    security: [{ accessKey: [] }, { session: [] }],
  },
  transform: jsonSchemaTransform,
  transformObject(document) {
    const described = jsonSchemaTransformObject(document) as Described
    for (const operation of Object.values(described.paths).flatMap((path) => Object.values(path))) {
      for (const response of Object.values(operation.responses)) {
        if (response.description === libraryDescription) response.description = operation.summary
      }
    }
    // Every named shape is one of answers: the forms the library makes for requests have no use.
    const schemas = Object.entries(described.components.schemas).filter(([name]) => !name.endsWith('Input'))
    return { ...described, components: { ...described.components, schemas: Object.fromEntries(schemas) } }
  },
}

/** What the library says of an answer that has no description. */
const libraryDescription = 'Default Response'

interface Described {
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly summary: string
  readonly responses: Readonly<Record<string, { description: string }>>
}

/**
 * What every route of the scope has in common: parameters it does not name are refused, and its refusals are described.
 * To be called before the routes are added.
 */
export function describeRoutes(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route: RouteOptions) => {
    const { schema } = route
    if (schema === undefined || schema.hide === true) return
    schema.querystring ??= z.strictObject({})
    const refusals = [
      400,
      401,
      ...(schema.tags?.includes('operator') ? [403] : []),
      ...(schema.params === undefined ? [] : [404]),
    ]
    schema.response = {
      ...(schema.response as Record<string, unknown>),
      ...Object.fromEntries([...refusals, 'default'].map((status) => [status, problemResponse(status)])),
    }
  })
}

const refusalMeanings: Readonly<Record<string, string>> = {
  400: 'A parameter is missing, unknown or wrong; `data.parameter` names it',
  401: 'The caller is not known',
  403: 'Only an operator may do this',
  404: 'There is no such thing, or it is another account’s',
  default: 'Any other refusal',
}

function problemResponse(status: number | string): object {
  return {
    description: refusalMeanings[status],
    content: { 'application/problem+json': { schema: problemShape } },
  }
}
