/** DescribeImageAttribute: one attribute of an image, for its owner alone (spec §11). */
import type { Caller } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import type { BlockDeviceMapping } from './images.ts'
import { requireOwnImage } from './require-image.ts'
import { readLaunchPermissions } from './store.ts'

/** The one attribute asked for. */
export type ImageAttribute =
  | { readonly attribute: 'productCodes'; readonly imageId: string; readonly productCodes: readonly string[] }
  | {
      readonly attribute: 'launchPermission'
      readonly imageId: string
      readonly accountIds: readonly string[]
      /** `all` when the image is public. */
      readonly groups: readonly 'all'[]
    }
  | { readonly attribute: 'description'; readonly imageId: string; readonly description?: string }
  | {
      readonly attribute: 'blockDeviceMapping'
      readonly imageId: string
      readonly blockDeviceMappings: readonly BlockDeviceMapping[]
    }

/** @throws Fault InvalidParameter (unknown attribute, malformed id), ImageNotFound, ImageUnavailable, Forbidden */
export async function describeImageAttribute(
  tx: Transaction,
  request: { caller: Caller; region: string; imageId: string; attribute: string },
): Promise<ImageAttribute> {
  const { attribute } = request
  if (!isKnown(attribute)) {
    throw new Fault(
      'InvalidParameter',
      `The attribute "${attribute}" is not known; ask for one of ${attributes.join(', ')}.`,
      { data: { ec2Code: 'InvalidParameterValue', parameter: 'Attribute' } },
    )
  }
  const image = await requireOwnImage(tx, request)
  const { imageId } = image
  switch (attribute) {
    case 'productCodes':
      return { attribute, imageId, productCodes: image.productCode === undefined ? [] : [image.productCode] }
    case 'launchPermission':
      return {
        attribute,
        imageId,
        accountIds: await readLaunchPermissions(tx, imageId),
        groups: image.isPublic ? ['all'] : [],
      }
    case 'description':
      return { attribute, imageId, ...(image.description === undefined ? {} : { description: image.description }) }
    case 'blockDeviceMapping':
      return { attribute, imageId, blockDeviceMappings: image.blockDeviceMappings }
  }
}

const attributes = ['productCodes', 'launchPermission', 'description', 'blockDeviceMapping'] as const

function isKnown(attribute: string): attribute is (typeof attributes)[number] {
  return (attributes as readonly string[]).includes(attribute)
}
