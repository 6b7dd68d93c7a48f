import { AwsError } from '../../aws/aws-error.ts'
import { cloudCatalog } from '../../products/find-rate-card.ts'
import { ec2Action } from './action.ts'
import { applyFilters } from './filters.ts'

export const describeAvailabilityZones = ec2Action<'DescribeAvailabilityZones'>({
  name: 'DescribeAvailabilityZones',
  changes: false,
  honoured: ['ZoneName', 'ZoneId', 'Filter'],
  ignored: { AllAvailabilityZones: 'every zone is open to every account' },
  async run(tx, input, { region }) {
    const catalog = await cloudCatalog(tx)
    const rows = catalog.zonesOf(region).map((name) => ({
      ZoneName: name,
      // Zones have the same names for every account here, so the name is also the id.
      ZoneId: name,
      RegionName: region,
      GroupName: region,
      State: 'available',
      ZoneType: 'availability-zone',
      OptInStatus: 'opt-in-not-required',
      Messages: [],
    }))
    const asked = [...(input.ZoneNames ?? []), ...(input.ZoneIds ?? [])]
    const unknown = asked.find((name) => !rows.some((row) => row.ZoneName === name))
    if (unknown !== undefined) {
      throw new AwsError('InvalidParameterValue', `Invalid availability zone: [${unknown}] in region ${region}.`)
    }
    const named = asked.length === 0 ? rows : rows.filter((row) => asked.includes(row.ZoneName))
    return {
      AvailabilityZones: applyFilters(named, input.Filters, {
        'zone-name': (row) => row.ZoneName,
        'zone-id': (row) => row.ZoneId,
        'zone-type': (row) => row.ZoneType,
        'region-name': (row) => row.RegionName,
        'group-name': (row) => row.GroupName,
        'opt-in-status': (row) => row.OptInStatus,
        state: (row) => row.State,
      }),
    }
  },
})
