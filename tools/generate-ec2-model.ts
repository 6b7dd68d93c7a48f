/**
 * Writes src/aws/ec2-model.generated.json and its types from the run-time schemas of @aws-sdk/client-ec2, which is
 * a dependency of development only: importing it costs 200 ms and 76 MB, the table we need is a thousandth of it.
 * To serve another action: add its name here, run `node tools/generate-ec2-model.ts`, write its file in endpoints/ec2.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as sdk from '@aws-sdk/client-ec2'
import { NormalizedSchema } from '@smithy/core/schema'
import { format, resolveConfig } from 'prettier'
import type { MemberRow, ModelTable } from '../src/aws/ec2-model.ts'

export const modelledActions = [
  'ConfirmProductInstance',
  'CreateTags',
  'DeleteTags',
  'DeregisterImage',
  'DescribeAvailabilityZones',
  'DescribeImageAttribute',
  'DescribeImages',
  'DescribeInstanceStatus',
  'DescribeInstanceTypes',
  'DescribeInstances',
  'DescribeRegions',
  'DescribeTags',
  'ModifyImageAttribute',
  'RebootInstances',
  'RegisterImage',
  'ResetImageAttribute',
  'RunInstances',
  'StartInstances',
  'StopInstances',
  'TerminateInstances',
]

/** Parameters the SDK requires and the first API versions did not: an image without a name had its location's. */
const loosened: ReadonlySet<string> = new Set(['RegisterImageRequest'])

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

class ModelWriter {
  readonly structures: Record<string, ModelTable['structures'][string]> = {}
  readonly lists: Record<string, ModelTable['lists'][string]> = {}

  /** Files the shape and everything it contains, and returns the name it is filed under. */
  add(schema: NormalizedSchema): string {
    if (schema.isStructSchema()) return this.#addStructure(schema)
    if (schema.isListSchema()) return this.#addList(schema)
    if (schema.isTimestampSchema()) return 'timestamp'
    if (schema.isBlobSchema()) return 'blob'
    if (schema.isBooleanSchema()) return 'boolean'
    if (schema.isNumericSchema()) return 'number'
    if (schema.isStringSchema()) return 'string'
    throw new Error(`${schema.getName(true) ?? 'a schema'} is of a kind the EC2 wire does not have`)
  }

  #addStructure(schema: NormalizedSchema): string {
    const name = nameOf(schema)
    if (this.structures[name] !== undefined) return name
    const members: MemberRow[] = []
    const required = (schema.getSchema() as unknown as unknown[])[6] as number | undefined
    this.structures[name] = { ...(required && !loosened.has(name) ? { required } : {}), members }
    for (const [member, memberSchema] of schema.structIterator()) {
      const traits = memberSchema.getMergedTraits() as { xmlName?: string; ec2QueryName?: string }
      const xmlName = traits.xmlName ?? member
      members.push([member, this.add(memberSchema), traits.ec2QueryName ?? capitalised(xmlName), xmlName])
    }
    return name
  }

  #addList(schema: NormalizedSchema): string {
    const name = nameOf(schema)
    if (this.lists[name] !== undefined) return name
    const value = schema.getValueSchema()
    const traits = value.getMergedTraits() as { xmlName?: string }
    // Not "item": a list whose values have no name of their own travels as <member>, found by fuzzing all actions.
    const list = { of: '', element: traits.xmlName ?? 'member' }
    this.lists[name] = list
    list.of = this.add(value)
    return name
  }
}

function nameOf(schema: NormalizedSchema): string {
  const name = schema.getName()
  if (name === undefined) throw new Error('a structure or list of the SDK has no name')
  return name
}

function operationSchema(action: string): readonly unknown[] {
  const schema = (sdk as unknown as Record<string, unknown>)[`${action}$`]
  if (!Array.isArray(schema) || schema[0] !== 9) throw new Error(`@aws-sdk/client-ec2 has no operation ${action}`)
  return schema
}

/** Every action EC2 has, so that one that is not served can be told from one that does not exist. */
function operationNames(): string[] {
  return Object.entries(sdk as unknown as Record<string, unknown>)
    .flatMap(([name, schema]) => (Array.isArray(schema) && schema[0] === 9 ? [name.slice(0, -1)] : []))
    .sort()
}

/** The table for the given actions, its parts in alphabetical order so that a regenerated file compares equal. */
export function buildModel(actions: readonly string[]): ModelTable {
  const writer = new ModelWriter()
  const operations: Record<string, ModelTable['operations'][string]> = {}
  for (const action of actions) {
    const schema = operationSchema(action)
    const input = NormalizedSchema.of(schema[4] as never)
    const output = NormalizedSchema.of(schema[5] as never)
    operations[action] = [writer.add(input), output.isUnitSchema() ? null : writer.add(output)]
  }
  const { version } = createRequire(import.meta.url)('@aws-sdk/client-ec2/package.json') as { version: string }
  return {
    source: `@aws-sdk/client-ec2 ${version}, Apache-2.0`,
    apiVersion: '2016-11-15',
    operations,
    otherActions: operationNames().filter((name) => !actions.includes(name)),
    structures: sorted(writer.structures),
    lists: sorted(writer.lists),
  }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The table as JSON: one structure a line, so that a change of the SDK reads as a change of a few lines. */
export function modelJson(model: ModelTable): string {
  const block = (record: object): string =>
    `{\n${Object.entries(record)
      .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
      .join(',\n')}\n  }`
  return (
    `{\n  "source": ${JSON.stringify(model.source)},\n  "apiVersion": ${JSON.stringify(model.apiVersion)},\n` +
    `  "operations": ${block(model.operations)},\n  "otherActions": ${JSON.stringify(model.otherActions)},\n` +
    `  "structures": ${block(model.structures)},\n` +
    `  "lists": ${block(model.lists)}\n}\n`
  )
}

/** Types of the inputs and outputs, so that an action is checked without a dependency on the SDK. */
export function modelTypes(model: ModelTable): string {
  const scalar: Record<string, string> = { timestamp: 'Date', blob: 'Uint8Array' }
  const typeOf = (name: string): string => {
    const list = model.lists[name]
    return list === undefined ? (scalar[name] ?? name) : `readonly ${typeOf(list.of)}[]`
  }
  const interfaces = Object.entries(model.structures).map(([name, { required = 0, members }]) => {
    const lines = members.map(([member, type], index) =>
      index < required ? `  ${member}: ${typeOf(type)}` : `  ${member}?: ${typeOf(type)} | undefined`,
    )
    return lines.length === 0
      ? `export type ${name} = Record<string, never>`
      : `export interface ${name} {\n${lines.join('\n')}\n}`
  })
  return [
    `// Generated by tools/generate-ec2-model.ts from ${model.source}. Types only; change the generator, not this file.`,
    'export interface Ec2Inputs {',
    ...Object.entries(model.operations).map(([action, [input]]) => `  ${action}: ${input}`),
    '}',
    'export interface Ec2Outputs {',
    ...Object.entries(model.operations).map(([action, [, output]]) => `  ${action}: ${output ?? 'undefined'}`),
    '}',
    ...interfaces,
    '',
  ].join('\n')
}

const jsonFile = new URL('../src/aws/ec2-model.generated.json', import.meta.url)
const typesFile = new URL('../src/aws/ec2-model.generated.ts', import.meta.url)

/** What the generator would write now, and what the files hold. */
export async function compareModel(): Promise<{ file: string; expected: string; found: string }[]> {
  const model = buildModel(modelledActions)
  const options = await resolveConfig(typesFile.pathname)
  const types = await format(modelTypes(model), { ...options, parser: 'typescript' })
  return [
    { file: jsonFile.pathname, expected: modelJson(model), found: readIfThere(jsonFile) },
    { file: typesFile.pathname, expected: types, found: readIfThere(typesFile) },
  ]
}

function readIfThere(file: URL): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

if (import.meta.main) {
  for (const { file, expected } of await compareModel()) writeFileSync(file, expected)
}
