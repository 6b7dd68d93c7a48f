/** Machine images: their shape and the rules that need nothing but their own values (spec §11). */
import { Fault } from '../base/fault.ts'
import { requirePlainText } from './plain-text.ts'

export type ImageState = 'available' | 'deregistered'
export type RootDeviceType = 'ebs' | 'instance-store'
export type VirtualizationType = 'hvm' | 'paravirtual'

/** Architectures an image can be registered for. */
export const architectures = ['i386', 'x86_64', 'arm64'] as const
export type Architecture = (typeof architectures)[number]

export interface BlockDeviceMapping {
  readonly deviceName: string
  readonly virtualName?: string
  readonly noDevice?: string
  readonly ebs?: {
    readonly snapshotId?: string
    readonly volumeSizeGib?: number
    readonly volumeType?: string
    readonly deleteOnTermination?: boolean
    readonly encrypted?: boolean
    readonly iops?: number
  }
}

export interface Tag {
  readonly key: string
  readonly value: string
}

export interface Image {
  readonly imageId: string
  readonly ownerAccountId: string
  readonly region: string
  readonly name: string
  readonly description?: string
  readonly architecture: string
  readonly imageLocation: string
  /** Environment of the rate card, such as `linux` or `windows`. */
  readonly environment: string
  /** As EC2 shows it: only for Windows, missing otherwise. */
  readonly platform?: 'windows'
  readonly rootDeviceType: RootDeviceType
  readonly rootDeviceName?: string
  readonly virtualizationType: VirtualizationType
  readonly blockDeviceMappings: readonly BlockDeviceMapping[]
  readonly state: ImageState
  readonly productCode?: string
  readonly isPublic: boolean
  readonly createdAt: Date
}

/** An image with the tags its describer gave it (tags are seen by who made them only). */
export interface DescribedImage extends Image {
  readonly tags: readonly Tag[]
}

/** Kind of every product code here, as `productCodes/item/type` shows it (spec §11). */
export const productCodeType = 'devpay'

const imageIdForm = /^ami-[0-9a-f]{8,17}$/
const nameForm = /^[A-Za-z0-9()[\]. /'@_-]{3,128}$/
const accountIdForm = /^[0-9]{12}$/
const descriptionLengthMax = 255

/** @throws Fault InvalidParameter (EC2 InvalidAMIID.Malformed) when the text cannot be an image id */
export function requireImageId(imageId: string): void {
  if (imageIdForm.test(imageId)) return
  throw new Fault('InvalidParameter', `Invalid id: "${imageId}" (expecting "ami-..." and 8 to 17 hex digits).`, {
    data: { ec2Code: 'InvalidAMIID.Malformed', parameter: 'ImageId' },
  })
}

/** @throws Fault InvalidParameter (EC2 InvalidAMIName.Malformed) */
export function requireImageName(name: string): void {
  if (nameForm.test(name)) return
  throw new Fault(
    'InvalidParameter',
    `"${name}" is not a name for an image: use 3 to 128 letters, digits, spaces or ( ) [ ] . / - ' @ _ .`,
    { data: { ec2Code: 'InvalidAMIName.Malformed', parameter: 'Name' } },
  )
}

/** @throws Fault InvalidParameter when the description is longer than EC2 allows, or cannot be shown */
export function requireDescription(description: string): void {
  requirePlainText('Description', description, descriptionLengthMax)
}

/** @throws Fault InvalidParameter (EC2 InvalidUserID.Malformed) when the text is not a twelve-digit account id */
export function requireAccountId(accountId: string): void {
  if (accountIdForm.test(accountId)) return
  throw new Fault('InvalidParameter', `Invalid user id: "${accountId}"; an account id has twelve digits.`, {
    data: { ec2Code: 'InvalidUserID.Malformed', parameter: 'UserId' },
  })
}

/** The refusal for an image nobody has, or whose owner took it back. */
export function imageNotFound(imageIds: readonly string[]): Fault {
  const list = imageIds.join(', ')
  const text =
    imageIds.length === 1 ? `The image id '[${list}]' does not exist` : `The image ids '[${list}]' do not exist`
  return new Fault('ImageNotFound', text, { data: { ec2Code: 'InvalidAMIID.NotFound', imageId: list } })
}

/** The refusal for an image that exists and is not shared with the caller (spec §11: AuthFailure). */
export function noLaunchPermission(imageIds: readonly string[]): Fault {
  const list = imageIds.join(', ')
  return new Fault(
    'NoLaunchPermission',
    `Not authorized for images: [${list}]. Ask the owner to share it with your account (ModifyImageAttribute, launchPermission).`,
    { data: { ec2Code: 'AuthFailure', imageId: list } },
  )
}

/** The refusal for an attribute that is its owner's alone (spec §11). */
export function notImageOwner(imageId: string): Fault {
  return new Fault(
    'Forbidden',
    `Not authorized for image:${imageId}. Only the account that owns the image may do this.`,
    {
      data: { ec2Code: 'AuthFailure', imageId },
    },
  )
}

/** The refusal for an image that was deregistered. */
export function imageUnavailable(imageId: string): Fault {
  return new Fault(
    'ImageUnavailable',
    `The image id '[${imageId}]' is no longer available: its owner deregistered it. Use another image.`,
    { data: { ec2Code: 'InvalidAMIID.Unavailable', imageId } },
  )
}
