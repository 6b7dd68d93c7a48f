/** Images and what hangs on them, in EC2's words. */
import { AwsError } from '../../aws/aws-error.ts'
import type {
  BlockDeviceMapping as WireMapping,
  Image as WireImage,
  ProductCode,
  Tag as WireTag,
  TagSpecification,
} from '../../aws/ec2-model.generated.ts'
import { productCodeType, type BlockDeviceMapping, type DescribedImage, type Tag } from '../../images/images.ts'

export function wireImage(image: DescribedImage): WireImage {
  return {
    ImageId: image.imageId,
    ImageLocation: image.imageLocation,
    State: image.state,
    OwnerId: image.ownerAccountId,
    CreationDate: image.createdAt.toISOString(),
    Public: image.isPublic,
    ProductCodes: wireProductCodes(image.productCode),
    Architecture: image.architecture,
    ImageType: 'machine',
    Platform: image.platform,
    PlatformDetails: image.platform === 'windows' ? 'Windows' : 'Linux/UNIX',
    Name: image.name,
    Description: image.description,
    RootDeviceType: image.rootDeviceType,
    RootDeviceName: image.rootDeviceName,
    BlockDeviceMappings: image.blockDeviceMappings.map(wireMapping),
    VirtualizationType: image.virtualizationType,
    Hypervisor: 'xen',
    Tags: wireTags(image.tags),
  }
}

export function wireProductCodes(productCode: string | undefined): ProductCode[] {
  return productCode === undefined ? [] : [{ ProductCodeId: productCode, ProductCodeType: productCodeType }]
}

export function wireTags(tags: readonly Tag[]): WireTag[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}

export function wireMapping(mapping: BlockDeviceMapping): WireMapping {
  const { ebs } = mapping
  return {
    DeviceName: mapping.deviceName,
    VirtualName: mapping.virtualName,
    NoDevice: mapping.noDevice,
    Ebs:
      ebs === undefined
        ? undefined
        : {
            SnapshotId: ebs.snapshotId,
            VolumeSize: ebs.volumeSizeGib,
            VolumeType: ebs.volumeType,
            DeleteOnTermination: ebs.deleteOnTermination,
            Encrypted: ebs.encrypted,
            Iops: ebs.iops,
          },
  }
}

/** The device mappings of a request. */
export function readMappings(mappings: readonly WireMapping[] | undefined): BlockDeviceMapping[] {
  return (mappings ?? []).map(({ DeviceName, VirtualName, NoDevice, Ebs }, index) => {
    if (!DeviceName) {
      const name = `BlockDeviceMapping.${index + 1}.DeviceName`
      throw new AwsError('MissingParameter', `The request must contain the parameter ${name}`)
    }
    return {
      deviceName: DeviceName,
      ...(VirtualName !== undefined && { virtualName: VirtualName }),
      ...(NoDevice !== undefined && { noDevice: NoDevice }),
      ...(Ebs !== undefined && {
        ebs: {
          ...(Ebs.SnapshotId !== undefined && { snapshotId: Ebs.SnapshotId }),
          ...(Ebs.VolumeSize !== undefined && { volumeSizeGib: Ebs.VolumeSize }),
          ...(Ebs.VolumeType !== undefined && { volumeType: Ebs.VolumeType }),
          ...(Ebs.DeleteOnTermination !== undefined && { deleteOnTermination: Ebs.DeleteOnTermination }),
          ...(Ebs.Encrypted !== undefined && { encrypted: Ebs.Encrypted }),
          ...(Ebs.Iops !== undefined && { iops: Ebs.Iops }),
        },
      }),
    }
  })
}

/** Tags of a request; a tag without a value has the empty one. */
export function readTags(tags: readonly WireTag[] | undefined): Tag[] {
  return (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
}

/**
 * The tags a request gives to what it makes.
 *
 * @param makes the only type of resource the action makes
 * @throws AwsError InvalidParameterValue for tags of another type
 */
export function readTagSpecifications(specifications: readonly TagSpecification[] | undefined, makes: string): Tag[] {
  return (specifications ?? []).flatMap(({ ResourceType, Tags }) => {
    if (ResourceType !== makes) {
      const found = `'${ResourceType ?? ''}' is not a valid taggable resource type for this operation.`
      throw new AwsError('InvalidParameterValue', `${found} Expected '${makes}'.`)
    }
    return readTags(Tags)
  })
}
