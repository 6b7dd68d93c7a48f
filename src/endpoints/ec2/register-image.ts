import { registerImage as register } from '../../images/register-image.ts'
import { ec2Action } from './action.ts'
import { readMappings, readTagSpecifications } from './image-xml.ts'
import { AwsError } from '../../aws/aws-error.ts'

/** EC2's own code for Windows among `BillingProduct`s; a name of an environment of the rate card is taken as well. */
const windowsBillingProduct = 'bp-6ba54002'

export const registerImage = ec2Action<'RegisterImage'>({
  name: 'RegisterImage',
  changes: true,
  honoured: [
    'Name',
    'Description',
    'ImageLocation',
    'Architecture',
    'RootDeviceName',
    'VirtualizationType',
    'BlockDeviceMapping.DeviceName',
    'BlockDeviceMapping.VirtualName',
    'BlockDeviceMapping.NoDevice',
    'BlockDeviceMapping.Ebs.SnapshotId',
    'BlockDeviceMapping.Ebs.VolumeSize',
    'BlockDeviceMapping.Ebs.VolumeType',
    'BlockDeviceMapping.Ebs.DeleteOnTermination',
    'BlockDeviceMapping.Ebs.Encrypted',
    'BlockDeviceMapping.Ebs.Iops',
    'BillingProduct',
    'TagSpecification',
  ],
  ignored: {
    KernelId: 'machines boot with the kernel of their image',
    RamdiskId: 'machines boot with the ramdisk of their image',
    EnaSupport: 'every machine has the same network adapter',
    SriovNetSupport: 'every machine has the same network adapter',
    ImdsSupport: 'both versions of the metadata service answer',
  },
  async run(tx, input, { caller, region }) {
    const image = await register(tx, {
      caller,
      region,
      ...(input.Name !== undefined && { name: input.Name }),
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.ImageLocation !== undefined && { imageLocation: input.ImageLocation }),
      ...(input.Architecture !== undefined && { architecture: input.Architecture }),
      ...(input.RootDeviceName !== undefined && { rootDeviceName: input.RootDeviceName }),
      ...(input.VirtualizationType !== undefined && { virtualizationType: input.VirtualizationType }),
      ...readEnvironment(input.BillingProducts),
      blockDeviceMappings: readMappings(input.BlockDeviceMappings),
      tags: readTagSpecifications(input.TagSpecifications, 'image'),
    })
    return { ImageId: image.imageId }
  },
})

function readEnvironment(billingProducts: readonly string[] = []): { environment?: string } {
  const [product, ...others] = billingProducts
  if (others.length > 0) {
    throw new AwsError('InvalidParameterCombination', 'An image runs in one environment; name one BillingProduct.')
  }
  if (product === undefined) return {}
  return { environment: product === windowsBillingProduct ? 'windows' : product }
}
