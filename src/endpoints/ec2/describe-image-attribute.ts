import type { ImageAttribute as WireAttribute } from '../../aws/ec2-model.generated.ts'
import { describeImageAttribute as describe, type ImageAttribute } from '../../images/describe-image-attribute.ts'
import { ec2Action } from './action.ts'
import { wireMapping, wireProductCodes } from './image-xml.ts'

export const describeImageAttribute = ec2Action<'DescribeImageAttribute'>({
  name: 'DescribeImageAttribute',
  changes: false,
  honoured: ['ImageId', 'Attribute'],
  ignored: {},
  async run(tx, input, { caller, region }) {
    const found = await describe(tx, { caller, region, imageId: input.ImageId, attribute: input.Attribute })
    return { ImageId: found.imageId, ...wireAttribute(found) }
  },
})

function wireAttribute(found: ImageAttribute): WireAttribute {
  switch (found.attribute) {
    case 'productCodes':
      return { ProductCodes: found.productCodes.flatMap(wireProductCodes) }
    case 'launchPermission': {
      const accounts = found.accountIds.map((accountId) => ({ UserId: accountId }))
      return { LaunchPermissions: [...accounts, ...found.groups.map((group) => ({ Group: group }))] }
    }
    case 'description':
      return { Description: { Value: found.description } }
    case 'blockDeviceMapping':
      return { BlockDeviceMappings: found.blockDeviceMappings.map(wireMapping) }
  }
}
