import { resetLaunchPermission } from '../../images/reset-launch-permission.ts'
import { ec2Action } from './action.ts'

export const resetImageAttribute = ec2Action<'ResetImageAttribute'>({
  name: 'ResetImageAttribute',
  changes: true,
  honoured: ['ImageId', 'Attribute'],
  ignored: {},
  async run(tx, input, { caller, region }) {
    await resetLaunchPermission(tx, { caller, region, imageId: input.ImageId, attribute: input.Attribute })
    return undefined
  },
})
