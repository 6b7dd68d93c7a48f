/** TerminateInstances: the meter ends at once, whatever state the instance is in; there is no way back. */
import type { Transaction } from '../database/database.ts'
import type { StateChange } from './instances.ts'
import { endInstances, type EndRequest } from './stop-instances.ts'

/**
 * Terminates instances, all or none. One that is shutting down or terminated stays so.
 *
 * @throws Fault MissingParameter, InvalidParameter, InstanceNotFound
 */
export async function terminateInstances(tx: Transaction, request: EndRequest): Promise<StateChange[]> {
  return await endInstances(tx, request, 'terminate', 'TerminateInstances')
}
