/** `/v1/customers` */
import type Stripe from 'stripe'
import { z } from 'zod'
import { metadata, paging, text } from './parameters.ts'
import { requirePaymentMethod } from './payment-methods.ts'
import { recordEvent } from './record-event.ts'
import { answerList, route } from './route.ts'
import { requireCustomer, lockCustomer } from './require-customer.ts'
import { epochSeconds, invalidRequest, mergeMetadata, missing, newObjectId, type Call } from './sandbox.ts'
import { findObject, insertObject, listObjects, replaceObject } from './store.ts'

const fields = {
  email: text.optional(),
  name: text.optional(),
  phone: text.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  invoice_settings: z.strictObject({ default_payment_method: text.optional() }).optional(),
}

type Fields = z.output<z.ZodObject<typeof fields>>

function changed(customer: Stripe.Customer, change: Fields): Stripe.Customer {
  const set = (before: string | null | undefined, value: string | undefined): string | null =>
    value === undefined ? (before ?? null) : value === '' ? null : value
  return {
    ...customer,
    email: set(customer.email, change.email),
    name: set(customer.name, change.name),
    phone: set(customer.phone, change.phone),
    description: set(customer.description, change.description),
    metadata: mergeMetadata(customer.metadata, change.metadata),
    invoice_settings: {
      ...customer.invoice_settings,
      default_payment_method: set(
        customer.invoice_settings.default_payment_method as string | null,
        change.invoice_settings?.default_payment_method,
      ),
    },
  }
}

async function checkDefault(call: Call, customerId: string, change: Fields): Promise<void> {
  const id = change.invoice_settings?.default_payment_method
  if (id === undefined || id === '') return
  const method = await requirePaymentMethod(call, id, 'invoice_settings[default_payment_method]')
  if (method.data.customer !== customerId)
    throw invalidRequest(
      `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
      'resource_missing',
      'invoice_settings[default_payment_method]',
    )
}

export const customerRoutes = [
  route('POST', 'customers', fields, async (call, parameters) => {
    const blank = {
      id: newObjectId('cus'),
      object: 'customer',
      address: null,
      balance: 0,
      created: epochSeconds(call.tx.now),
      currency: null,
      default_source: null,
      delinquent: false,
      description: null,
      discount: null,
      email: null,
      invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
      livemode: false,
      metadata: {},
      name: null,
      phone: null,
      preferred_locales: [],
      shipping: null,
      tax_exempt: 'none',
      test_clock: null,
    } satisfies Stripe.Customer
    await checkDefault(call, blank.id, parameters)
    const customer = changed(blank, parameters)
    await insertObject(call.tx, 'customer', customer)
    await recordEvent(call, 'customer.created', customer)
    return customer
  }),

  route('GET', 'customers/:id', {}, async (call, _, id) => {
    const found = await findObject(call.tx, 'customer', id)
    if (found === undefined) throw missing('customer', id)
    return found.data
  }),

  route('POST', 'customers/:id', fields, async (call, parameters, id) => {
    const before = await lockCustomer(call, id)
    await checkDefault(call, id, parameters)
    const customer = changed(before, parameters)
    await replaceObject(call.tx, customer)
    await recordEvent(call, 'customer.updated', customer)
    return customer
  }),

  route('DELETE', 'customers/:id', {}, async (call, _, id) => {
    const before = await lockCustomer(call, id)
    const methods = await listObjects(call.tx, 'payment_method', {
      limit: 1000,
      created: [],
      where: [{ field: 'customer', values: [id] }],
    })
    for (const method of methods ?? []) await replaceObject(call.tx, { ...method, customer: null })
    const deleted = { id, object: 'customer', deleted: true } satisfies Stripe.DeletedCustomer
    await replaceObject(call.tx, deleted)
    await recordEvent(call, 'customer.deleted', before)
    return deleted
  }),

  route('GET', 'customers', { ...paging, email: text.optional() }, async (call, parameters) =>
    // A deleted customer keeps no mode, so this leaves it out.
    answerList(call, 'customer', parameters, { email: parameters.email, livemode: 'false' }),
  ),

  route(
    'GET',
    'customers/:id/payment_methods',
    { ...paging, type: z.literal('card').optional() },
    async (call, p, id) => {
      await requireCustomer(call, id)
      const url = `/v1/customers/${id}/payment_methods`
      return answerList(call, 'payment_method', p, { customer: id }, url)
    },
  ),
]
