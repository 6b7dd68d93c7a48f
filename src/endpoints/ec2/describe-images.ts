import { describeImages as describe } from '../../images/describe-images.ts'
import { ec2Action } from './action.ts'
import { filtersOf } from './filters.ts'
import { wireImage } from './image-xml.ts'

export const describeImages = ec2Action<'DescribeImages'>({
  name: 'DescribeImages',
  changes: false,
  honoured: ['ImageId', 'Owner', 'ExecutableBy', 'Filter', 'MaxResults', 'NextToken'],
  ignored: {
    IncludeDeprecated: 'images are never deprecated',
    IncludeDisabled: 'images are never disabled',
  },
  async run(tx, input, { caller, region }) {
    const { images, nextToken } = await describe(tx, {
      caller,
      region,
      filters: filtersOf(input.Filters),
      ...(input.ImageIds && { imageIds: input.ImageIds }),
      ...(input.Owners && { owners: input.Owners }),
      ...(input.ExecutableUsers && { executableBy: input.ExecutableUsers }),
      ...(input.MaxResults !== undefined && { maxResults: input.MaxResults }),
      ...(input.NextToken !== undefined && { nextToken: input.NextToken }),
    })
    return { Images: images.map(wireImage), NextToken: nextToken }
  },
})
