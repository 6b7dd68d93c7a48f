/** RebootInstances: a rebooted instance never leaves `running`, so nothing is metered anew and only the log tells of it. */
import type { Caller } from '../accounts/accounts.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import type { Transaction } from '../database/database.ts'
import { requestState } from './request-state.ts'

/** @throws Fault MissingParameter, InvalidParameter, InstanceNotFound, IncorrectState (neither running nor pending) */
export async function rebootInstances(
  tx: Transaction,
  request: { caller: Caller; region: string; instanceIds: readonly string[] },
): Promise<void> {
  const { accountId } = request.caller
  const requested = await requestState(tx, {
    accountId,
    region: request.region,
    instanceIds: request.instanceIds,
    actor: accountId,
    request: 'reboot',
  })
  await recordAudit(tx, {
    accountId,
    actor: accountId,
    action: 'instance.reboot',
    subject: requested.map(({ instance }) => instance.instanceId).join(','),
  })
}
