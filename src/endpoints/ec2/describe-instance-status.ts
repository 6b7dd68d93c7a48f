/**
 * The status checks of instances: a running machine passes them, any other has none. They follow from the state, so filters on
 * checks become filters on states.
 */
import { AwsError } from '../../aws/aws-error.ts'
import type { InstanceStatus, InstanceStatusSummary, Filter as WireFilter } from '../../aws/ec2-model.generated.ts'
import type { Filter } from '../../images/filter.ts'
import { describeInstances } from '../../instances/describe-instances.ts'
import { stateCodes, type Instance, type InstanceState } from '../../instances/instances.ts'
import { ec2Action } from './action.ts'
import { applyFilters, filtersOf } from './filters.ts'
import { wireState } from './instance-xml.ts'

const states = Object.keys(stateCodes) as InstanceState[]

const checkFilters: Readonly<Record<string, (state: InstanceState) => string | readonly string[]>> = {
  'instance-status.status': status,
  'system-status.status': status,
  'instance-status.reachability': reachability,
  'system-status.reachability': reachability,
}
const instanceFilters: ReadonlySet<string> = new Set([
  'availability-zone',
  'instance-state-name',
  'instance-state-code',
])

export const describeInstanceStatus = ec2Action<'DescribeInstanceStatus'>({
  name: 'DescribeInstanceStatus',
  changes: false,
  honoured: ['InstanceId', 'IncludeAllInstances', 'Filter', 'MaxResults', 'NextToken'],
  ignored: { IncludeManagedResources: 'no service manages instances for anyone' },
  async run(tx, input, { caller, region }) {
    const { reservations, nextToken } = await describeInstances(tx, {
      caller,
      region,
      filters: readFilters(input.Filters, input.IncludeAllInstances ?? false),
      ...(input.InstanceIds && { instanceIds: input.InstanceIds }),
      ...(input.MaxResults !== undefined && { maxResults: input.MaxResults }),
      ...(input.NextToken !== undefined && { nextToken: input.NextToken }),
    })
    const instances = reservations.flatMap((reservation) => reservation.instances)
    return { InstanceStatuses: instances.map(wireStatus), NextToken: nextToken }
  },
})

function readFilters(given: readonly WireFilter[] | undefined, all: boolean): Filter[] {
  const filters = filtersOf(given)
  const unknown = filters.find(({ name }) => !instanceFilters.has(name) && !Object.hasOwn(checkFilters, name))
  if (unknown !== undefined) {
    const known = [...instanceFilters, ...Object.keys(checkFilters)].join(', ')
    throw new AwsError('InvalidParameterValue', `The filter '${unknown.name}' is invalid. Known here: ${known}.`)
  }
  const checks = (given ?? []).filter(({ Name = '' }) => Object.hasOwn(checkFilters, Name))
  const shown = applyFilters(all ? states : (['running'] as const), checks, checkFilters)
  const passing: string[] = shown.length > 0 ? shown : ['none']
  return [...filters.filter(({ name }) => instanceFilters.has(name)), { name: 'instance-state-name', values: passing }]
}

function status(state: InstanceState): string {
  return state === 'running' ? 'ok' : 'not-applicable'
}

function reachability(state: InstanceState): readonly string[] {
  return state === 'running' ? ['passed'] : []
}

function wireStatus({ instanceId, availabilityZone, state }: Instance): InstanceStatus {
  const details = reachability(state).map((passed) => ({ Name: 'reachability', Status: passed }))
  const summary: InstanceStatusSummary = { Status: status(state), Details: details }
  return {
    InstanceId: instanceId,
    AvailabilityZone: availabilityZone,
    InstanceState: wireState(state),
    InstanceStatus: summary,
    SystemStatus: summary,
    Events: [],
  }
}
