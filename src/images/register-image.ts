/** RegisterImage: makes an image known under an id, private to its owner and without a product code. */
import type { Caller } from '../accounts/accounts.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import { newEc2Id } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import { cloudCatalog } from '../products/find-rate-card.ts'
import {
  architectures,
  requireDescription,
  requireImageName,
  type Architecture,
  type BlockDeviceMapping,
  type Image,
  type Tag,
  type VirtualizationType,
} from './images.ts'
import { requirePlainText } from './plain-text.ts'
import { findImageIdByName, insertImage } from './store.ts'
import { createTags } from './create-tags.ts'

export interface RegisterImageRequest {
  readonly caller: Caller
  readonly region: string
  /** Left out, it is `imageLocation`, as in the first API versions. */
  readonly name?: string
  readonly description?: string
  /** Default `i386`, as EC2's own. */
  readonly architecture?: string
  /** Path of the manifest in object storage; an image that has one is backed by the instance store. */
  readonly imageLocation?: string
  /** An environment of the rate card; default `linux`. */
  readonly environment?: string
  readonly rootDeviceName?: string
  /** Default `paravirtual`, as EC2's own. */
  readonly virtualizationType?: string
  readonly blockDeviceMappings?: readonly BlockDeviceMapping[]
  readonly tags?: readonly Tag[]
}

/**
 * @throws Fault MissingParameter (neither a location nor a root device, or no name), InvalidParameter, Conflict (the name is
 *   taken: EC2 InvalidAMIName.Duplicate)
 */
export async function registerImage(tx: Transaction, request: RegisterImageRequest): Promise<Image> {
  const image = await newImage(tx, request)
  if (!(await insertImage(tx, image))) {
    const other = await findImageIdByName(tx, image)
    throw new Fault(
      'Conflict',
      `AMI name ${image.name} is already in use by AMI ${other ?? 'of yours'}. Choose another name, or deregister that image first.`,
      { data: { ec2Code: 'InvalidAMIName.Duplicate', ...(other === undefined ? {} : { imageId: other }) } },
    )
  }
  if (request.tags !== undefined && request.tags.length > 0) {
    await createTags(tx, {
      caller: request.caller,
      region: request.region,
      resourceIds: [image.imageId],
      tags: request.tags,
    })
  }
  await recordAudit(tx, {
    accountId: image.ownerAccountId,
    actor: request.caller.accountId,
    action: 'image.register',
    subject: image.imageId,
    detail: { name: image.name, region: image.region },
  })
  return image
}

async function newImage(tx: Transaction, request: RegisterImageRequest): Promise<Image> {
  const name = request.name ?? request.imageLocation
  if (name === undefined || name === '') throw missing('Name', 'The request must contain the parameter Name.')
  requireImageName(name)
  if (request.description !== undefined) requireDescription(request.description)
  requireShowable(request)
  const mappings = request.blockDeviceMappings ?? []
  const instanceStore = request.imageLocation !== undefined && request.imageLocation !== ''
  const rootDeviceName = request.rootDeviceName ?? (instanceStore ? undefined : mappings[0]?.deviceName)
  if (!instanceStore && rootDeviceName === undefined) {
    throw missing(
      'ImageLocation',
      'The request must contain ImageLocation (the manifest of an image in object storage), or RootDeviceName or BlockDeviceMapping (an image backed by a block device).',
    )
  }
  const environment = await knownEnvironment(tx, request.environment ?? 'linux')
  return {
    imageId: newEc2Id('ami'),
    ownerAccountId: request.caller.accountId,
    region: request.region,
    name,
    ...(request.description === undefined || request.description === '' ? {} : { description: request.description }),
    architecture: oneOf<Architecture>('Architecture', request.architecture ?? 'i386', architectures),
    imageLocation: instanceStore ? (request.imageLocation ?? '') : `${request.caller.accountId}/${name}`,
    environment,
    ...(environment.startsWith('windows') ? { platform: 'windows' as const } : {}),
    rootDeviceType: instanceStore ? 'instance-store' : 'ebs',
    ...(rootDeviceName === undefined ? {} : { rootDeviceName }),
    virtualizationType: oneOf<VirtualizationType>('VirtualizationType', request.virtualizationType ?? 'paravirtual', [
      'paravirtual',
      'hvm',
    ]),
    blockDeviceMappings: mappings,
    state: 'available',
    isPublic: false,
    createdAt: tx.now,
  }
}

const mappingsMax = 100
const volumeSizeGibMax = 65_536

function requireShowable({ imageLocation, rootDeviceName, blockDeviceMappings = [] }: RegisterImageRequest): void {
  requirePlainText('ImageLocation', imageLocation ?? '', 4095)
  requirePlainText('RootDeviceName', rootDeviceName ?? '', 255)
  if (blockDeviceMappings.length > mappingsMax) {
    throw new Fault(
      'InvalidParameter',
      `The request maps ${blockDeviceMappings.length} block devices; ${mappingsMax} are allowed.`,
      {
        data: { ec2Code: 'InvalidBlockDeviceMapping', parameter: 'BlockDeviceMapping' },
      },
    )
  }
  for (const { deviceName, virtualName, noDevice, ebs } of blockDeviceMappings) {
    for (const text of [deviceName, virtualName, noDevice, ebs?.snapshotId, ebs?.volumeType]) {
      requirePlainText('BlockDeviceMapping', text ?? '', 255)
    }
    const size = ebs?.volumeSizeGib
    if (
      deviceName === '' ||
      (size !== undefined && !(Number.isInteger(size) && size >= 1 && size <= volumeSizeGibMax))
    ) {
      throw new Fault(
        'InvalidParameter',
        `A block device has a name, and a size of 1 to ${volumeSizeGibMax} GiB where one is given; found "${deviceName}", ${size ?? 'no size'}.`,
        { data: { ec2Code: 'InvalidBlockDeviceMapping', parameter: 'BlockDeviceMapping' } },
      )
    }
  }
}

async function knownEnvironment(tx: Transaction, environment: string): Promise<string> {
  const { environments } = await cloudCatalog(tx)
  return oneOf('Environment', environment, environments)
}

function oneOf<T extends string>(parameter: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found !== undefined) return found
  throw new Fault(
    'InvalidParameter',
    `Value (${value}) for parameter ${parameter} is invalid. Allowed: ${allowed.join(', ')}.`,
    { data: { ec2Code: 'InvalidParameterValue', parameter } },
  )
}

function missing(parameter: string, message: string): Fault {
  return new Fault('MissingParameter', message, { data: { ec2Code: 'MissingParameter', parameter } })
}
