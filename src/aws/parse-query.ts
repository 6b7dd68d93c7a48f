/**
 * One parser of EC2 query input for every action, driven by the model: `BlockDeviceMapping.1.Ebs.VolumeSize=8` becomes
 * `{ BlockDeviceMappings: [{ Ebs: { VolumeSize: 8 } }] }`, and what the model does not know is refused by name.
 */
import { parseInstant } from '../base/time.ts'
import { AwsError } from './aws-error.ts'
import type { ListShape, ScalarShape, Shape, StructureShape } from './ec2-model.ts'
import { parametersMax, type Parameters } from './read-parameters.ts'

/** Maps, not objects: names come from strangers and may be `__proto__`. */
type Tree = Map<string, Tree | string>

const depthMax = 16

/** Parameters of the protocol and its signatures: who asks, when and in which version. All others are what is asked. */
export const protocolParameters: ReadonlySet<string> = new Set([
  'Action',
  'Version',
  'AWSAccessKeyId',
  'Signature',
  'SignatureVersion',
  'SignatureMethod',
  'Timestamp',
  'Expires',
  'SecurityToken',
])

/**
 * The typed input of an action.
 *
 * @param shape the action's input in the model; the result has the type of the same name in ec2-model.generated.ts
 * @throws AwsError UnknownParameter, MissingParameter, InvalidParameterValue, InvalidParameterCombination
 */
export function parseQuery(shape: StructureShape, parameters: Parameters): object {
  return parseStructure(shape, growTree(parameters), '')
}

function growTree(parameters: Parameters): Tree {
  if (parameters.length > parametersMax) {
    throw new AwsError('InvalidParameterCombination', `The request has more than ${parametersMax} parameters.`)
  }
  const root: Tree = new Map()
  const protocol = new Set<string>()
  for (const [name, value] of parameters) {
    if (protocolParameters.has(name)) {
      // A second Action would be the one that counts to some readers, and not to others.
      if (protocol.has(name)) throw contradiction(name)
      protocol.add(name)
      continue
    }
    const steps = name.split('.')
    const last = steps.pop() ?? ''
    if (steps.length >= depthMax) throw unknownParameter(shorten(name))
    let tree = root
    for (const step of steps) {
      const next = tree.get(step) ?? new Map<string, Tree | string>()
      if (typeof next === 'string') throw contradiction(name)
      tree.set(step, next)
      tree = next
    }
    if (tree.has(last)) throw contradiction(name)
    tree.set(last, value)
  }
  return root
}

function parseStructure(shape: StructureShape, tree: Tree, path: string): object {
  const result: Record<string, unknown> = {}
  let used = 0
  for (const member of shape.members) {
    const found = tree.get(member.queryName)
    if (found !== undefined) {
      result[member.name] = parseValue(member.shape, found, path + member.queryName)
      used += 1
    }
    if (member.required && (found === undefined || found === '')) {
      throw new AwsError('MissingParameter', `The request must contain the parameter ${path}${member.queryName}`)
    }
  }
  if (used !== tree.size) {
    const known = new Set(shape.members.map((member) => member.queryName))
    for (const name of tree.keys()) if (!known.has(name)) throw unknownParameter(shorten(path + name))
  }
  return result
}

function parseValue(shape: Shape, found: Tree | string, path: string): unknown {
  if (shape.kind === 'list') return parseList(shape, found, path)
  if (shape.kind === 'structure') {
    if (typeof found === 'string') throw invalidValue(found, path, 'Its parts are parameters of their own')
    return parseStructure(shape, found, `${path}.`)
  }
  if (typeof found !== 'string') throw unknownParameter(`${path}.${shorten(found.keys().next().value ?? '')}`)
  return parseScalar(shape, found, path)
}

function parseList(shape: ListShape, found: Tree | string, path: string): readonly unknown[] {
  // Clients of the first years send a list of one without an index: Owner=self.
  if (typeof found === 'string') return found === '' ? [] : [parseValue(shape.of, found, path)]
  return [...found]
    .map(([index, value]) => {
      if (!/^(0|[1-9]\d{0,4})$/.test(index)) throw unknownParameter(`${path}.${shorten(index)}`)
      return [Number(index), value] as const
    })
    .sort(([a], [b]) => a - b)
    .map(([index, value]) => parseValue(shape.of, value, `${path}.${index}`))
}

function parseScalar(shape: ScalarShape, text: string, path: string): unknown {
  switch (shape.kind) {
    case 'string':
      return text
    case 'number':
      // Every number these actions take is whole; EC2 refuses a fraction in the same words.
      if (!/^-?\d{1,15}$/.test(text)) throw invalidValue(text, path, 'Expected an integer')
      return Number(text)
    case 'boolean':
      if (!/^(true|false)$/i.test(text)) throw invalidValue(text, path, 'Expected a boolean')
      return text.toLowerCase() === 'true'
    case 'timestamp': {
      const instant = parseInstant(text)
      if (instant === undefined) throw invalidValue(text, path, 'Expected an instant such as 2026-07-01T12:00:00Z')
      return instant
    }
    case 'blob':
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw invalidValue(text, path, 'Expected base64')
      return Buffer.from(text, 'base64')
  }
}

function unknownParameter(name: string): AwsError {
  return new AwsError('UnknownParameter', `The parameter ${name} is not recognized`)
}

function invalidValue(text: string, path: string, expected: string): AwsError {
  return new AwsError(
    'InvalidParameterValue',
    `Value (${shorten(text)}) for parameter ${path} is invalid. ${expected}.`,
  )
}

function contradiction(name: string): AwsError {
  return new AwsError(
    'InvalidParameterCombination',
    `The parameter ${shorten(name)} is given more than once, or both as a value and as a structure.`,
  )
}

/** Names and values come back in error messages; nobody needs a megabyte of them. */
function shorten(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`
}
