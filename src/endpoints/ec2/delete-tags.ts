import { deleteTags as remove } from '../../images/delete-tags.ts'
import { ec2Action } from './action.ts'

export const deleteTags = ec2Action<'DeleteTags'>({
  name: 'DeleteTags',
  changes: true,
  honoured: ['ResourceId', 'Tag'],
  ignored: {},
  async run(tx, input, { caller, region }) {
    await remove(tx, {
      caller,
      region,
      resourceIds: input.Resources,
      // Unlike an empty value, which only the tag with an empty value has, a missing one stands for any.
      tags: (input.Tags ?? []).map(({ Key = '', Value }) => ({
        key: Key,
        ...(Value !== undefined && { value: Value }),
      })),
    })
    return undefined
  },
})
