/** ResetImageAttribute: the image is its owner's alone again. launchPermission is the only attribute that can be reset. */
import type { Caller } from '../accounts/accounts.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { requireOwnImage } from './require-image.ts'
import { removeLaunchPermissions, writePublic } from './store.ts'

/** @throws Fault InvalidParameter (another attribute), ImageNotFound, ImageUnavailable, Forbidden */
export async function resetLaunchPermission(
  tx: Transaction,
  request: { caller: Caller; region: string; imageId: string; attribute?: string },
): Promise<void> {
  if (request.attribute !== undefined && request.attribute !== 'launchPermission') {
    throw new Fault(
      'InvalidParameter',
      `The attribute "${request.attribute}" cannot be reset; only launchPermission can. A product code is never removed.`,
      { data: { ec2Code: 'InvalidParameterValue', parameter: 'Attribute' } },
    )
  }
  const image = await requireOwnImage(tx, request)
  await removeLaunchPermissions(tx, image.imageId, 'all')
  await writePublic(tx, image.imageId, false)
  await recordAudit(tx, {
    accountId: image.ownerAccountId,
    actor: request.caller.accountId,
    action: 'image.reset-launch-permission',
    subject: image.imageId,
  })
}
