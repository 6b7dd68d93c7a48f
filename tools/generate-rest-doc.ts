/** Writes docs/api/openapi.json and docs/api/rest.md from the routes of the REST API: `node tools/generate-rest-doc.ts`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import prettier from 'prettier'
import { createLog, createMetrics } from '../src/base/telemetry.ts'
import { restEndpoint, type RestHouse } from '../src/endpoints/rest/rest.ts'
import { createServer } from '../src/http/server.ts'
import { projectFolder } from './source-tree.ts'

/** As much of OpenAPI as the page tells. */
interface ApiDocument {
  readonly info: { readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly description?: string
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
}

/** The generated files by their paths, as they should be. */
export async function restDocuments(): Promise<Map<string, string>> {
  const document = await readDocument()
  return new Map([
    [join(projectFolder, 'docs/api/openapi.json'), await format(JSON.stringify(document), 'json')],
    [join(projectFolder, 'docs/api/rest.md'), await format(pageOf(document), 'markdown')],
  ])
}

/** Asks a server that nothing stands behind: the document is made from the routes alone. */
async function readDocument(): Promise<ApiDocument> {
  const ready = (): Promise<void> => Promise.resolve()
  const server = createServer({ log: createLog('silent'), metrics: createMetrics(), trustProxy: false, ready })
  await server.register(restEndpoint({} as RestHouse))
  const answer = await server.inject('/api/v1/openapi.json')
  await server.close()
  return answer.json()
}

function pageOf({ info, tags, paths, components }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const sections = tags.flatMap((tag) => [
    `## ${tag.name}`,
    `${tag.description}.`,
    ...operations
      .filter(({ operation }) => operation.tags.includes(tag.name))
      .flatMap(({ path, method, operation }) => sectionOf(method, path, operation)),
  ])
  const shapes = Object.entries(components.schemas).flatMap(([name, schema]) => [
    `### Shape ${name}`,
    ...fields(schema),
  ])
  return [
    '# REST API',
    'Made from the routes by `node tools/generate-rest-doc.ts`; change them there. The same as OpenAPI 3.1: [openapi.json](openapi.json), and from a running service at `/api/v1/openapi.json`.',
    info.description,
    'A refusal is `application/problem+json` (RFC 9457), described under [Problem](#shape-problem):',
    '```console\n$ curl -u "$ID:$SECRET" "http://127.0.0.1:8080/api/v1/products?limit=many"\n{"type":"about:blank","title":"InvalidParameter","status":400,"detail":"limit is \\"many\\", not a whole number from 1 to 100.","code":"InvalidParameter","data":{"parameter":"limit"},"requestId":"…"}\n```',
    ...sections,
    '## Shapes',
    ...shapes,
  ].join('\n\n')
}

function sectionOf(method: string, path: string, operation: Operation): string[] {
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, required, description = '', schema }) =>
      `| \`${name}\` | ${place === 'querystring' ? 'query' : place} | ${typeOf(schema)} | ${required ? 'needed. ' : ''}${description}${defaultOf(schema)} |`,
  )
  const body = operation.requestBody?.content['application/json']?.schema
  const [status, answer] = Object.entries(operation.responses).find(([code]) => code.startsWith('2')) ?? ['', undefined]
  const answered = answer?.content?.['application/json']?.schema
  return [
    `### ${method} ${path}`,
    `${operation.summary}.`,
    ...(parameters.length === 0
      ? []
      : [['| parameter | in | type | |', '|---|---|---|---|', ...parameters].join('\n')]),
    ...(body === undefined ? [] : ['Body:', ...fields(body)]),
    ...(answered === undefined
      ? [`Answers ${status}, empty.`]
      : answered.$ref === undefined
        ? [`Answers ${status}:`, ...fields(answered)]
        : [`Answers ${status}: ${typeOf(answered)}.`]),
  ]
}

/** The fields of an object, those of objects inside it as `outer.inner`. */
function fields(schema: Schema): string[] {
  return [['| field | type | |', '|---|---|---|', ...rows(schema, '')].join('\n')]
}

function rows(schema: Schema, outer: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${outer}${name}`
    const missing = schema.required?.includes(name) === true || field.default !== undefined ? '' : 'may be missing. '
    const inner = field.type === 'array' ? field.items : field
    const note = `${missing}${field.description ?? ''}${defaultOf(field)}`.trim()
    return [
      `| \`${path}\` | ${typeOf(field)} | ${note} |`,
      ...rows(inner ?? {}, `${path}${field.type === 'array' ? '[]' : ''}.`),
    ]
  })
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return `[${name}](#shape-${name.toLowerCase()})`
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  return schema.format ?? schema.type ?? 'any'
}

function defaultOf({ default: value }: Schema): string {
  return value === undefined ? '' : ` Default \`${JSON.stringify(value)}\`.`
}

async function format(text: string, parser: 'json' | 'markdown'): Promise<string> {
  const options = await prettier.resolveConfig(join(projectFolder, 'docs/api/rest.md'))
  return await prettier.format(text, { ...options, parser })
}

if (import.meta.main) {
  for (const [path, text] of await restDocuments()) {
    mkdirSync(dirname(path), { recursive: true })
    const current = readFileSync(path, { encoding: 'utf8', flag: 'a+' }) === text
    if (!current) writeFileSync(path, text)
    console.log(`${path} ${current ? 'is current' : 'written'}`)
  }
}
