import { randomUUID } from 'node:crypto'
import type Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCollections, type Collections } from '../../test/collections.ts'
import { buy, newBuyer } from '../../test/orders.ts'
import { newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import { acceptEvent, applyEvent } from './accept-event.ts'
import type { ProcessorEvent } from './processor.ts'

let at: Collections
let accountId: string
/** Of a payment of ours. */
let succeeded: Stripe.Event
beforeAll(async () => {
  at = await openCollections('2026-06-01T00:00:00Z')
  accountId = await newBuyer(at.database, at.processor)
  await buy(at.database, at.processor, accountId, (await newProduct(at.database)).product)
  await at.drain()
  const event = (await at.events()).find(({ type }) => type === 'payment_intent.succeeded')
  if (event === undefined) throw new Error('there is no event of the payment')
  succeeded = event
})
afterAll(async () => {
  expect(await at.broken()).toEqual([])
  await at.close()
})

async function rowOf(eventId: string): Promise<{ type: string; handled: boolean } | undefined> {
  const { rows } = await at.house.pool.query<{ type: string; handled: boolean }>(
    'select type, handled_at is not null as handled from processor_event where event_id = $1',
    [eventId],
  )
  return rows[0]
}

test('an event that is not signed by the processor is refused and leaves nothing', async () => {
  const body = Buffer.from(JSON.stringify({ ...succeeded, id: 'evt_forged' }))
  for (const signature of ['', 't=1,v1=00', `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}`]) {
    const accepting = acceptEvent(at.database, at.processor, body, signature)
    await expect(accepting).rejects.toMatchObject({ code: 'Unauthenticated' })
  }
  expect(await rowOf('evt_forged')).toBeUndefined()
})

test('an event is taken in once, however often and at once it comes', async () => {
  await Promise.all(Array.from({ length: 6 }, () => at.deliver(succeeded)))
  expect(await at.tasksOf('processor.event')).toBe(1)
  expect(await rowOf(succeeded.id)).toEqual({ type: 'payment_intent.succeeded', handled: false })
  expect(await at.drain()).toBe(0)
  expect(await rowOf(succeeded.id)).toMatchObject({ handled: true })
  await at.deliver(succeeded)
  expect(await at.tasksOf('processor.event')).toBe(0)
})

test('an event of a kind that says nothing to us is kept and done with', async () => {
  const event = (await at.events()).find(({ type }) => type === 'charge.succeeded')
  if (event === undefined) throw new Error('there is no event of the charge')
  await at.deliver(event)
  expect(await at.tasksOf('processor.event')).toBe(0)
  expect(await rowOf(event.id)).toEqual({ type: 'charge.succeeded', handled: true })
})

const ours = () => succeeded.data.object as unknown as { metadata: Record<string, string> }

test.each<[string, (metadata: Record<string, string>) => Record<string, string>]>([
  ['of a payment of somebody else', () => ({})],
  ['of an unknown bill', (metadata) => ({ ...metadata, invoice_id: randomUUID() })],
  ['that names no bill', (metadata) => ({ ...metadata, invoice_id: 'x' })],
  ['of another attempt', (metadata) => ({ ...metadata, attempt_number: '2' })],
  ['that names no attempt', (metadata) => ({ ...metadata, attempt_number: '1e3' })],
  ['whose charge has another key', (metadata) => ({ ...metadata, turnpike_key: 'charge/other' })],
])('an event %s is done with at once and changes nothing', async (_name, change) => {
  const id = `evt_${randomUUID()}`
  const metadata = change(ours().metadata)
  await at.deliver({ ...succeeded, id, data: { object: { ...ours(), metadata } } } as unknown as Stripe.Event)
  expect(await at.drain()).toBe(0)
  expect(await rowOf(id)).toMatchObject({ handled: true })
})

function cardEvent(eventId: string, reference: string): { eventId: string; body: string } {
  const base = { eventId, type: 'checkout.session.completed', kind: 'card_setup_completed' } as const
  const event: ProcessorEvent = { ...base, sessionId: 'cs_test_unknown', customerId: 'cus_unknown', reference }
  return { eventId, body: JSON.stringify(event) }
}

test('an event that can never apply is done with; one whose answer was lost is tried again', async () => {
  const insert = (id: string) =>
    at.house.pool.query(`insert into processor_event (event_id, type, received_at) values ($1, 'x', now())`, [id])
  await insert('evt_never')
  await applyEvent(at.database, at.processor, cardEvent('evt_never', ''))
  expect(await rowOf('evt_never')).toMatchObject({ handled: true })

  await insert('evt_later')
  await at.house.pool.query(
    `insert into card_setup (account_id, session_id, started_at) values ($1, 'cs_test_unknown', now())`,
    [accountId],
  )
  const away = () => Promise.reject(new Fault('ProcessorUnavailable', 'Nobody answers.'))
  const event = cardEvent('evt_later', accountId)
  const applying = applyEvent(at.database, { ...at.processor, finishCardSetup: away }, event)
  await expect(applying).rejects.toMatchObject({ code: 'ProcessorUnavailable' })
  expect(await rowOf('evt_later')).toMatchObject({ handled: false })
  await applyEvent(at.database, at.processor, event)
  expect(await rowOf('evt_later')).toMatchObject({ handled: true })
})
