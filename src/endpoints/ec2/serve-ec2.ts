/** EC2 for the dispatcher: finds the action, reads its input, refuses what it would not honour, writes its output. */
import { createHash } from 'node:crypto'
import { AwsError, writeEc2Error } from '../../aws/aws-error.ts'
import { ec2ApiVersion, ec2Operation, otherEc2Actions } from '../../aws/ec2-model.ts'
import { parseQuery, protocolParameters } from '../../aws/parse-query.ts'
import type { Parameters } from '../../aws/read-parameters.ts'
import { writeStructure } from '../../aws/write-xml.ts'
import { present } from '../../base/assert.ts'
import type { AwsService } from '../aws/service.ts'
import type { ServedAction } from './action.ts'
import { ec2Actions } from './actions.ts'
import { ec2ApiVersions } from './api-versions.ts'

const actions: ReadonlyMap<string, ServedAction> = new Map(ec2Actions.map((action) => [action.name, action]))

export const ec2Service: AwsService = {
  writeError: writeEc2Error,
  prepare(name, version, parameters) {
    requireVersion(version)
    const action = requireAction(name)
    const operation = present(ec2Operation(name), `${name} in the EC2 model`)
    const input = parseQuery(operation.input, parameters)
    refuseUnhonoured(action, parameters)
    const apiContext = { apiVersion: version, requestSha256: digestOf(parameters) }
    return {
      changes: action.changes,
      dryRun: (input as { DryRun?: boolean }).DryRun === true,
      async run(tx, context) {
        const output = await action.run(tx, input, { ...context, ...apiContext })
        const body =
          operation.output === undefined || output === undefined
            ? '<return>true</return>'
            : writeStructure(operation.output, output)
        return (
          `<?xml version="1.0" encoding="UTF-8"?>\n<${name}Response xmlns="http://ec2.amazonaws.com/doc/${version}/">` +
          `<requestId>${context.requestId}</requestId>${body}</${name}Response>`
        )
      },
    }
  },
}

function requireVersion(version: string): void {
  if (version === '') throw new AwsError('MissingParameter', 'The request must contain the parameter Version')
  if (ec2ApiVersions.has(version)) return
  throw new AwsError(
    'NoSuchVersion',
    `The requested version (${version.slice(0, 40)}) of service AmazonEC2 does not exist; use ${ec2ApiVersion}.`,
  )
}

function requireAction(name: string): ServedAction {
  const action = actions.get(name)
  if (action !== undefined) return action
  if (otherEc2Actions.has(name)) {
    throw new AwsError(
      'UnsupportedOperation',
      `The action ${name} is one of EC2's that this cloud does not serve. It serves ${[...actions.keys()].join(', ')}.`,
    )
  }
  throw new AwsError('InvalidAction', `The action ${name.slice(0, 100)} is not valid for this web service.`)
}

/**
 * A parameter that would have no effect is refused by name: a client that asks for an encrypted volume or a spot price
 * must not go on believing that it has one.
 */
function refuseUnhonoured(action: ServedAction, parameters: Parameters): void {
  for (const [name] of parameters) {
    if (protocolParameters.has(name) || name === 'DryRun') continue
    const plain = name
      .split('.')
      .filter((step) => !/^\d+$/.test(step))
      .join('.')
    if (covers(action.honoured, plain) || covers(Object.keys(action.ignored), plain)) continue
    throw new AwsError(
      'UnsupportedOperation',
      `The parameter ${name} of ${action.name} is one of EC2's that this cloud does not honour; leave it out. It honours ${action.honoured.join(', ')}.`,
    )
  }
}

function covers(names: readonly string[], plain: string): boolean {
  return names.some((name) => plain === name || plain.startsWith(`${name}.`))
}

function digestOf(parameters: Parameters): string {
  const asked = parameters
    .filter(([name]) => !protocolParameters.has(name))
    .map((pair) => JSON.stringify(pair))
    .sort()
  return createHash('sha256').update(asked.join('\n')).digest('hex')
}
