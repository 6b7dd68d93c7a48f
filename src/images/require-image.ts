/** Finding one image for its owner, or for a launch, with the refusals of spec §11. */
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import {
  imageNotFound,
  imageUnavailable,
  noLaunchPermission,
  notImageOwner,
  requireImageId,
  type Image,
} from './images.ts'
import { readImage, readImageFor } from './store.ts'

/**
 * The image, when it is available and the caller's own.
 *
 * @throws Fault InvalidParameter (malformed id), ImageNotFound, ImageUnavailable (own, deregistered), Forbidden (another's)
 */
export async function requireOwnImage(
  tx: Transaction,
  request: { caller: Caller; region: string; imageId: string },
): Promise<Image> {
  requireImageId(request.imageId)
  const image = await readImage(tx, request.imageId)
  if (image === undefined || image.region !== request.region) throw imageNotFound([request.imageId])
  const own = image.ownerAccountId === request.caller.accountId
  if (image.state === 'deregistered') throw own ? imageUnavailable(image.imageId) : imageNotFound([image.imageId])
  if (!own) throw notImageOwner(image.imageId)
  return image
}

/**
 * The image, when it is available and the account may launch it: its owner, an account it is shared with, or anyone when it is
 * public.
 *
 * @throws Fault InvalidParameter (malformed id), ImageNotFound, NoLaunchPermission, ImageUnavailable (deregistered)
 */
export async function requireLaunchableImage(
  tx: Transaction,
  request: { accountId: string; region: string; imageId: string },
): Promise<Image> {
  requireImageId(request.imageId)
  const found = await readImageFor(tx, request.imageId, request.accountId)
  if (found === undefined || found.image.region !== request.region) throw imageNotFound([request.imageId])
  if (!found.shared) throw noLaunchPermission([request.imageId])
  if (found.image.state === 'deregistered') throw imageUnavailable(request.imageId)
  return found.image
}
