/** ModifyImageAttribute, description: the owner's words about the image; an empty text takes them away. */
import type { Caller } from '../accounts/accounts.ts'
import type { Transaction } from '../database/database.ts'
import { requireDescription } from './images.ts'
import { requireOwnImage } from './require-image.ts'
import { writeDescription } from './store.ts'

/** @throws Fault InvalidParameter, ImageNotFound, ImageUnavailable, Forbidden */
export async function modifyDescription(
  tx: Transaction,
  request: { caller: Caller; region: string; imageId: string; description: string },
): Promise<void> {
  requireDescription(request.description)
  const image = await requireOwnImage(tx, request)
  await writeDescription(tx, image.imageId, request.description)
}
