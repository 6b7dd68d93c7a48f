import { describeTags as describe } from '../../images/describe-tags.ts'
import { ec2Action } from './action.ts'
import { filtersOf } from './filters.ts'

export const describeTags = ec2Action<'DescribeTags'>({
  name: 'DescribeTags',
  changes: false,
  honoured: ['Filter', 'MaxResults', 'NextToken'],
  ignored: {},
  async run(tx, input, { caller }) {
    const { tags, nextToken } = await describe(tx, {
      caller,
      filters: filtersOf(input.Filters),
      ...(input.MaxResults !== undefined && { maxResults: input.MaxResults }),
      ...(input.NextToken !== undefined && { nextToken: input.NextToken }),
    })
    return {
      Tags: tags.map((tag) => ({
        ResourceId: tag.resourceId,
        ResourceType: tag.resourceType,
        Key: tag.key,
        Value: tag.value,
      })),
      NextToken: nextToken,
    }
  },
})
