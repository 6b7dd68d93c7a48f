/**
 * The three kinds of routes. A kind decides which bodies are read, and in which form a refusal is answered; it is
 * declared once for a scope: `server.register(async (scope) => { restRoutes(scope); scope.get(…) })`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Fault } from '../base/fault.ts'

/**
 * - `aws`: a form in (kept as bytes, since signatures cover bytes), XML out, EC2's error envelope
 * - `rest`: JSON in, JSON out, refusals as `application/problem+json`
 * - `page`: forms in, HTML out, refusals as a page
 */
export type RouteKind = 'aws' | 'rest' | 'page'

declare module 'fastify' {
  interface FastifyContextConfig {
    kind?: RouteKind
  }
}

/** Fields of a posted form; a name given several times has all its values. */
export type FormFields = Readonly<Record<string, string | readonly string[]>>

const formType = 'application/x-www-form-urlencoded'
const formFieldsMax = 1000

/** The routes of this scope are AWS wires: `request.body` is a `Buffer`, undefined where there is no body. */
export function awsRoutes(scope: FastifyInstance): void {
  declareKind(scope, 'aws')
  scope.addContentTypeParser(formType, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // Clients of AWS read the request id from this header; it must be the one in the body.
  scope.addHook('onSend', async (request, reply) => {
    reply.header('x-amzn-requestid', request.id)
  })
}

/** The routes of this scope take and give JSON. */
export function restRoutes(scope: FastifyInstance): void {
  declareKind(scope, 'rest')
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, scope.getDefaultJsonParser('error', 'error'))
}

/** The routes of this scope take JSON whose signature covers its bytes: `request.body` is a `Buffer`. */
export function rawRoutes(scope: FastifyInstance): void {
  declareKind(scope, 'rest')
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** The routes of this scope are pages: `request.body` is `FormFields`. */
export function pageRoutes(scope: FastifyInstance): void {
  declareKind(scope, 'page')
  refuseNul(scope)
  scope.addContentTypeParser(formType, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, readFormFields(body.toString()))
    } catch (error) {
      done(error as Error)
    }
  })
}

function declareKind(scope: FastifyInstance, kind: RouteKind): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, kind }
  })
}

/** No text holds a NUL, and PostgreSQL stores none: an address with one names nothing. (REST has a schema for each field.) */
function refuseNul(scope: FastifyInstance): void {
  scope.addHook('onRequest', async (request) => {
    if (request.url.includes('%00')) throw new Fault('InvalidParameter', 'The address holds a NUL character.')
    await Promise.resolve()
  })
}

/**
 * The fields of a form as a page posts it.
 *
 * @throws Fault InvalidParameter when there are more than a thousand, or a NUL is in one
 */
function readFormFields(text: string): FormFields {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  let count = 0
  for (const [name, value] of new URLSearchParams(text)) {
    count += 1
    if (count > formFieldsMax) throw new Fault('InvalidParameter', `The form has more than ${formFieldsMax} fields.`)
    if (name.includes('\0') || value.includes('\0')) {
      throw new Fault('InvalidParameter', 'The form holds a NUL character, which no text does.')
    }
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else if (typeof before === 'string') fields[name] = [before, value]
    else before.push(value)
  }
  return fields
}

/** The kind of the route, or, where no route matched, the kind the caller seems to expect. */
export function kindOf(request: FastifyRequest): RouteKind {
  const declared = request.routeOptions.config.kind
  if (declared !== undefined) return declared
  return request.headers.accept?.includes('text/html') === true && !request.url.startsWith('/api/') ? 'page' : 'rest'
}
