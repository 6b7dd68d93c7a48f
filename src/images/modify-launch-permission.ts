/** ModifyImageAttribute, launchPermission: shares an image with accounts, or with everyone (group `all`). */
import type { Caller } from '../accounts/accounts.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { requireAccountId } from './images.ts'
import { requireOwnImage } from './require-image.ts'
import { addLaunchPermissions, existingAccounts, removeLaunchPermissions, writePublic } from './store.ts'

/** Accounts and groups; the only group is `all`. */
export interface LaunchPermissionChange {
  readonly accountIds?: readonly string[]
  readonly groups?: readonly string[]
}

/** Accounts changed by one request at the most. */
const accountsMax = 1000

/**
 * Adds, then removes. Adding what is there and removing what is not are harmless, and so is a repeat.
 *
 * @throws Fault InvalidParameter (nothing to change, an unknown group, an account that does not exist), ImageNotFound,
 *   ImageUnavailable, Forbidden
 */
export async function modifyLaunchPermission(
  tx: Transaction,
  request: {
    caller: Caller
    region: string
    imageId: string
    add?: LaunchPermissionChange
    remove?: LaunchPermissionChange
  },
): Promise<void> {
  const add = checked(request.add)
  const remove = checked(request.remove)
  const named = new Set([...add.accountIds, ...remove.accountIds])
  if (named.size === 0 && !add.all && !remove.all) {
    throw new Fault('MissingParameter', 'The request names no account and no group to add or to remove.', {
      data: { ec2Code: 'InvalidParameterCombination', parameter: 'LaunchPermission' },
    })
  }
  if (named.size > accountsMax) {
    throw new Fault(
      'LimitExceeded',
      `The request names ${named.size} accounts; ${accountsMax} are allowed in one request.`,
    )
  }
  const image = await requireOwnImage(tx, request)
  await requireAccounts(tx, add.accountIds)
  if (add.accountIds.length > 0) await addLaunchPermissions(tx, image.imageId, add.accountIds)
  if (remove.accountIds.length > 0) await removeLaunchPermissions(tx, image.imageId, remove.accountIds)
  if (add.all || remove.all) await writePublic(tx, image.imageId, !remove.all)
  await recordAudit(tx, {
    accountId: image.ownerAccountId,
    actor: request.caller.accountId,
    action: 'image.modify-launch-permission',
    subject: image.imageId,
    detail: { add, remove },
  })
}

function checked(change: LaunchPermissionChange | undefined): { accountIds: string[]; all: boolean } {
  const groups = change?.groups ?? []
  const accountIds = [...new Set(change?.accountIds)].toSorted()
  const unknown = groups.find((group) => group !== 'all')
  if (unknown !== undefined) {
    throw new Fault('InvalidParameter', `"${unknown}" is not a group; the only group is "all".`, {
      data: { ec2Code: 'InvalidParameterValue', parameter: 'Group' },
    })
  }
  for (const accountId of accountIds) requireAccountId(accountId)
  return { accountIds, all: groups.length > 0 }
}

async function requireAccounts(tx: Transaction, accountIds: readonly string[]): Promise<void> {
  if (accountIds.length === 0) return
  const existing = await existingAccounts(tx, accountIds)
  const unknown = accountIds.filter((accountId) => !existing.has(accountId))
  if (unknown.length === 0) return
  throw new Fault('InvalidParameter', `No account here has the id ${unknown.join(', ')}.`, {
    data: { ec2Code: 'InvalidAMIAttributeItemValue', parameter: 'UserId' },
  })
}
