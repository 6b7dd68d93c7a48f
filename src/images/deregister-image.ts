/** DeregisterImage: nobody launches the image again; instances already running go on, and its id is never used again. */
import type { Caller } from '../accounts/accounts.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import type { Transaction } from '../database/database.ts'
import { imageUnavailable } from './images.ts'
import { requireOwnImage } from './require-image.ts'
import { markDeregistered } from './store.ts'

/** @throws Fault InvalidParameter (malformed id), ImageNotFound, ImageUnavailable (already deregistered), Forbidden */
export async function deregisterImage(
  tx: Transaction,
  request: { caller: Caller; region: string; imageId: string },
): Promise<void> {
  const image = await requireOwnImage(tx, request)
  // Two at once: the second finds nothing left to take back, like any later one.
  if (!(await markDeregistered(tx, image.imageId))) throw imageUnavailable(image.imageId)
  await recordAudit(tx, {
    accountId: image.ownerAccountId,
    actor: request.caller.accountId,
    action: 'image.deregister',
    subject: image.imageId,
  })
}
