import { AwsError } from '../../aws/aws-error.ts'
import { publicUrlOf } from '../../base/config.ts'
import { cloudCatalog } from '../../products/find-rate-card.ts'
import { ec2Action } from './action.ts'
import { applyFilters } from './filters.ts'

export const describeRegions = ec2Action<'DescribeRegions'>({
  name: 'DescribeRegions',
  changes: false,
  honoured: ['RegionName', 'Filter'],
  ignored: { AllRegions: 'every region is open to every account' },
  async run(tx, input) {
    const { regions } = await cloudCatalog(tx)
    const unknown = (input.RegionNames ?? []).find((name) => !regions.includes(name))
    if (unknown !== undefined) {
      throw new AwsError(
        'InvalidParameterValue',
        `Invalid region provided: ${unknown}. Regions: ${regions.join(', ')}.`,
      )
    }
    const { host } = new URL(publicUrlOf(tx.config))
    const named = input.RegionNames?.length ? regions.filter((name) => input.RegionNames?.includes(name)) : regions
    const rows = named.map((name) => ({ RegionName: name, Endpoint: host, OptInStatus: 'opt-in-not-required' }))
    return {
      Regions: applyFilters(rows, input.Filters, {
        'region-name': (row) => row.RegionName,
        endpoint: (row) => row.Endpoint,
        'opt-in-status': (row) => row.OptInStatus,
      }),
    }
  },
})
