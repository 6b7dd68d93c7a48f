import type Stripe from 'stripe'
import { missing, type Call } from './sandbox.ts'
import { findObject, lockObject } from './store.ts'

/**
 * A customer that may still be used; a deleted one is as good as missing.
 *
 * @param param the parameter that named it; left out when the path did
 */
export async function requireCustomer(call: Call, id: string, param?: string): Promise<Stripe.Customer> {
  return usable((await findObject(call.tx, 'customer', id))?.data, id, param)
}

/** The same, kept from being changed by another request. */
export async function lockCustomer(call: Call, id: string): Promise<Stripe.Customer> {
  return usable((await lockObject(call.tx, 'customer', id))?.data, id)
}

function usable(
  customer: Stripe.Customer | Stripe.DeletedCustomer | undefined,
  id: string,
  param?: string,
): Stripe.Customer {
  if (customer === undefined || customer.deleted === true) throw missing('customer', id, param)
  return customer
}
