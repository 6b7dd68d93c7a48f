import { createTags as create } from '../../images/create-tags.ts'
import { ec2Action } from './action.ts'
import { readTags } from './image-xml.ts'

export const createTags = ec2Action<'CreateTags'>({
  name: 'CreateTags',
  changes: true,
  honoured: ['ResourceId', 'Tag'],
  ignored: {},
  async run(tx, input, { caller, region }) {
    await create(tx, { caller, region, resourceIds: input.Resources, tags: readTags(input.Tags) })
    return undefined
  },
})
