import { AwsError } from '../../aws/aws-error.ts'
import type { RunInstancesRequest } from '../../aws/ec2-model.generated.ts'
import { runInstances as run } from '../../instances/run-instances.ts'
import { ec2Action } from './action.ts'
import { readTagSpecifications } from './image-xml.ts'
import { wireReservation } from './instance-xml.ts'

export const runInstances = ec2Action<'RunInstances'>({
  name: 'RunInstances',
  changes: true,
  honoured: [
    'ImageId',
    'InstanceType',
    'MinCount',
    'MaxCount',
    'ClientToken',
    'KeyName',
    'UserData',
    'Placement.AvailabilityZone',
    'Placement.Tenancy',
    'SecurityGroup',
    'Monitoring.Enabled',
    'InstanceInitiatedShutdownBehavior',
    'TagSpecification',
  ],
  ignored: {
    KernelId: 'machines boot with the kernel of their image',
    RamdiskId: 'machines boot with the ramdisk of their image',
    AdditionalInfo: 'EC2 itself reserves it',
    EbsOptimized: 'every machine has the same disks',
    MetadataOptions: 'both versions of the metadata service answer',
  },
  async run(tx, input, { caller, region, requestSha256 }) {
    if (!input.ImageId) throw new AwsError('MissingParameter', 'The request must contain the parameter ImageId')
    refuseTenancy(input)
    const reservation = await run(tx, {
      caller,
      region,
      requestSha256,
      imageId: input.ImageId,
      minCount: input.MinCount,
      maxCount: input.MaxCount,
      tags: readTagSpecifications(input.TagSpecifications, 'instance'),
      ...(input.InstanceType !== undefined && { instanceType: input.InstanceType }),
      ...(input.ClientToken !== undefined && { clientToken: input.ClientToken }),
      ...(input.KeyName !== undefined && { keyName: input.KeyName }),
      ...(input.UserData !== undefined && { userData: input.UserData }),
      ...(input.Placement?.AvailabilityZone !== undefined && { availabilityZone: input.Placement.AvailabilityZone }),
      ...(input.SecurityGroups !== undefined && { securityGroups: input.SecurityGroups }),
      ...(input.Monitoring?.Enabled !== undefined && { monitoring: input.Monitoring.Enabled }),
      ...readShutdownBehavior(input.InstanceInitiatedShutdownBehavior),
    })
    return wireReservation(reservation)
  },
})

function refuseTenancy({ Placement }: RunInstancesRequest): void {
  const tenancy = Placement?.Tenancy ?? 'default'
  if (tenancy === 'default') return
  throw new AwsError('UnsupportedOperation', `The tenancy '${tenancy}' is not offered here; the only one is 'default'.`)
}

function readShutdownBehavior(text: string | undefined): { shutdownBehavior?: 'stop' | 'terminate' } {
  if (text === undefined) return {}
  if (text === 'stop' || text === 'terminate') return { shutdownBehavior: text }
  throw new AwsError(
    'InvalidParameterValue',
    `Value (${text}) for parameter InstanceInitiatedShutdownBehavior is invalid. Expected stop or terminate.`,
  )
}
