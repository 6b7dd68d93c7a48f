/**
 * The EC2 model at run time: which parameters an action takes and which elements it answers with. The table is
 * generated (tools/generate-ec2-model.ts) and linked here, action by action, when it is first asked for.
 */
import { assert, present } from '../base/assert.ts'
import table from './ec2-model.generated.json' with { type: 'json' }

export interface ScalarShape {
  readonly kind: 'string' | 'number' | 'boolean' | 'timestamp' | 'blob'
}
export interface ListShape {
  readonly kind: 'list'
  readonly of: Shape
  /** The element each value is wrapped in: `item`, nearly always. */
  readonly element: string
}
export interface StructureShape {
  readonly kind: 'structure'
  readonly members: readonly Member[]
}
export type Shape = ScalarShape | ListShape | StructureShape

export interface Member {
  /** Name in objects, such as `ImageIds`. */
  readonly name: string
  /** Name in requests, such as `ImageId`. */
  readonly queryName: string
  /** Name in answers, such as `imagesSet`. */
  readonly xmlName: string
  readonly required: boolean
  readonly shape: Shape
}

export interface Operation {
  readonly input: StructureShape
  /** Undefined for actions that answer with `<return>true</return>` alone. */
  readonly output: StructureShape | undefined
}

/** The generated file, as written. A member is name, type, and its two wire names where they are not the usual ones. */
export interface ModelTable {
  readonly source: string
  readonly apiVersion: string
  readonly operations: Readonly<Record<string, readonly [input: string, output: string | null]>>
  /** Actions EC2 has besides those. */
  readonly otherActions: readonly string[]
  readonly structures: Readonly<Record<string, { readonly required?: number; readonly members: readonly MemberRow[] }>>
  readonly lists: Readonly<Record<string, { readonly of: string; readonly element: string }>>
}
export type MemberRow = readonly [name: string, type: string, queryName: string, xmlName: string]

const scalars = {
  string: { kind: 'string' },
  number: { kind: 'number' },
  boolean: { kind: 'boolean' },
  timestamp: { kind: 'timestamp' },
  blob: { kind: 'blob' },
} as const satisfies Record<string, ScalarShape>

const model = table as unknown as ModelTable
const shapes = new Map<string, Shape>(Object.entries(scalars))
const operations = new Map<string, Operation>()

/** The newest version of the EC2 API, whose names the model uses. */
export const ec2ApiVersion = model.apiVersion

/** The actions of the model, by name. */
export const ec2Actions: readonly string[] = Object.keys(model.operations)

/** Actions of EC2 that the model leaves out. */
export const otherEc2Actions: ReadonlySet<string> = new Set(model.otherActions)

/** @returns undefined when the model has no such action */
export function ec2Operation(action: string): Operation | undefined {
  const known = operations.get(action)
  if (known !== undefined) return known
  if (!Object.hasOwn(model.operations, action)) return undefined
  const [input, output] = present(model.operations[action], action)
  const operation = { input: structure(input), output: output === null ? undefined : structure(output) }
  operations.set(action, operation)
  return operation
}

function structure(name: string): StructureShape {
  const shape = link(name)
  assert(shape.kind === 'structure', `${name} is a structure of the EC2 model`)
  return shape
}

function link(name: string): Shape {
  const known = shapes.get(name)
  if (known !== undefined) return known
  const list = model.lists[name]
  if (list !== undefined) {
    const shape: { -readonly [K in keyof ListShape]: ListShape[K] } = {
      kind: 'list',
      of: scalars.string,
      element: list.element,
    }
    // Known before its parts are linked: EC2 has structures that contain themselves.
    shapes.set(name, shape)
    shape.of = link(list.of)
    return shape
  }
  const { members: rows, required = 0 } = present(model.structures[name], `structure ${name} of the EC2 model`)
  const members: Member[] = []
  shapes.set(name, { kind: 'structure', members })
  for (const [index, [member, type, queryName, xmlName]] of rows.entries()) {
    members.push({ name: member, queryName, xmlName, required: index < required, shape: link(type) })
  }
  return present(shapes.get(name), name)
}
