import { describeInstances as describe } from '../../instances/describe-instances.ts'
import { ec2Action } from './action.ts'
import { filtersOf } from './filters.ts'
import { wireReservation } from './instance-xml.ts'

export const describeInstances = ec2Action<'DescribeInstances'>({
  name: 'DescribeInstances',
  changes: false,
  honoured: ['InstanceId', 'Filter', 'MaxResults', 'NextToken'],
  ignored: { IncludeManagedResources: 'no service manages instances for anyone' },
  async run(tx, input, { caller, region }) {
    const { reservations, nextToken } = await describe(tx, {
      caller,
      region,
      filters: filtersOf(input.Filters),
      ...(input.InstanceIds && { instanceIds: input.InstanceIds }),
      ...(input.MaxResults !== undefined && { maxResults: input.MaxResults }),
      ...(input.NextToken !== undefined && { nextToken: input.NextToken }),
    })
    return { Reservations: reservations.map(wireReservation), NextToken: nextToken }
  },
})
