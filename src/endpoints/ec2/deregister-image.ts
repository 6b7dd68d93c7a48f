import { deregisterImage as deregister } from '../../images/deregister-image.ts'
import { ec2Action } from './action.ts'

export const deregisterImage = ec2Action<'DeregisterImage'>({
  name: 'DeregisterImage',
  changes: true,
  honoured: ['ImageId'],
  ignored: {},
  async run(tx, input, { caller, region }) {
    await deregister(tx, { caller, region, imageId: input.ImageId })
    return { Return: true }
  },
})
