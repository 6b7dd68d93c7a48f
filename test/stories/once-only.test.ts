/** The same request twice, one after the other and at once, has one effect. */
import { ModifyImageAttributeCommand, RegisterImageCommand, RunInstancesCommand } from '@aws-sdk/client-ec2'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../../src/cli/demo/visitor.ts'
import { apiVersion } from '../../src/sandbox/sandbox.ts'
import { booksOf, digestTables } from '../books-summary.ts'
import { decliningCard, openTestHouse, until, type Person, type SellableProduct, type TestHouse } from '../house.ts'
import { runCommand } from '../service-process.ts'

let house: TestHouse
let seller: Person
let product: SellableProduct
let imageId = ''

beforeAll(async () => {
  house = await openTestHouse()
  seller = await house.newPerson()
  product = await house.town.sell(seller)
  const ec2 = house.town.ec2(seller)
  const image = new RegisterImageCommand({ Name: 'once', ImageLocation: 'once/manifest.xml', Architecture: 'x86_64' })
  imageId = (await ec2.send(image)).ImageId ?? ''
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [product.productCode] }))
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: [{ Group: 'all' }] } }))
})
afterAll(() => house.close())

async function count(query: string, values: unknown[]): Promise<number> {
  const { rows } = await house.pool.query<{ n: number }>(`select count(*)::int as n from ${query}`, values)
  return rows[0]?.n ?? -1
}

/** What an account has that an order makes. */
async function ordersOf({ accountId }: Person): Promise<Record<string, number>> {
  return {
    orders: await count('purchase_order where account_id = $1', [accountId]),
    subscriptions: await count('subscription where account_id = $1', [accountId]),
    invoices: await count('invoice where account_id = $1', [accountId]),
    attempts: await count('payment_attempt where account_id = $1', [accountId]),
    deposits: await count(`transfer where account_id = $1 and kind = 'deposited'`, [accountId]),
  }
}
const once = { orders: 1, subscriptions: 1, invoices: 1, attempts: 1, deposits: 1 }

describe('Place your order', () => {
  const confirmed = (page: Page): boolean => /Thank you, your order is placed|You have this already/.test(page.text)

  test('pressed twice on one page, one after the other and at once, orders once', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
    const pressed = await Promise.all([1, 2, 3].map(() => visitor.press(page, 'Place your order')))
    expect(pressed.map((each) => [each.status, confirmed(each)])).toEqual(pressed.map(() => [200, true]))
    await house.settle()
    expect(confirmed(await visitor.press(page, 'Place your order'))).toBe(true)
    await house.settle()
    expect(await ordersOf(buyer)).toEqual(once)
  })

  test('pressed in two tabs at once orders once', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const first = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
    const second = await visitor.open(product.purchaseUrl)
    const pressed = await Promise.all([first, second].map((page) => visitor.press(page, 'Place your order')))
    expect(pressed.map(confirmed)).toEqual([true, true])
    await house.settle()
    expect(await ordersOf(buyer)).toEqual(once)
  })
})

describe('RunInstances with a client token', () => {
  test('launches once, one after the other and at once, also through several connections', async () => {
    const buyer = await house.newPerson()
    await house.subscribe(buyer, product)
    const launch = () =>
      house.town.ec2(buyer).send(
        new RunInstancesCommand({
          ImageId: imageId,
          InstanceType: 'm1.small',
          MinCount: 2,
          MaxCount: 2,
          ClientToken: 'the-same',
        }),
      )
    const answers = await Promise.all(Array.from({ length: 6 }, launch))
    await house.settle()
    answers.push(await launch())
    const launched = new Set(answers.flatMap(({ Instances = [] }) => Instances.map((one) => one.InstanceId)))
    expect(launched.size).toBe(2)
    expect(new Set(answers.map((answer) => answer.ReservationId)).size).toBe(1)
    expect(await count('instance where account_id = $1', [buyer.accountId])).toBe(2)
    expect(await count('instance_run where account_id = $1', [buyer.accountId])).toBe(2)
  })
})

describe("the processor's webhooks", () => {
  const deliveredTypes = ['payment_intent.succeeded', 'payment_intent.payment_failed', 'checkout.session.completed']

  /** Every event the sandbox delivers, oldest first, and a way to send one. */
  async function openHook(): Promise<{
    events: Stripe.Event[]
    send: (event: Stripe.Event) => Promise<number>
  }> {
    const { sealer } = house.database
    const { hostname: host, port } = new URL(house.service.sandboxUrl ?? '')
    const secretKey = `sk_test_${sealer.derive('sandbox secret key').toString('hex').slice(0, 48)}`
    const secret = `whsec_${sealer.derive('sandbox webhook secret').toString('hex')}`
    const stripe = new Stripe(secretKey, { apiVersion, protocol: 'http', host, port, telemetry: false })
    const events: Stripe.Event[] = []
    for await (const event of stripe.events.list({ types: [...deliveredTypes], limit: 100 })) events.push(event)
    const send = async (event: Stripe.Event): Promise<number> => {
      const payload = JSON.stringify(event)
      const signature = stripe.webhooks.generateTestHeaderString({ payload, secret })
      const headers = { 'content-type': 'application/json', 'stripe-signature': signature }
      return (await fetch(`${house.town.url}/hooks/stripe`, { method: 'POST', headers, body: payload })).status
    }
    return { events: events.toReversed(), send }
  }

  test('delivered again, backwards, and under other ids change nothing', async () => {
    const buyer = await house.newPerson()
    await house.subscribe(buyer, product)
    const declined = await house.newPerson()
    await house.subscribe(declined, product, decliningCard)
    const { events, send } = await openHook()
    expect(new Set(events.map((event) => event.type))).toEqual(new Set(deliveredTypes))
    // Each was delivered once by the sandbox itself.
    await until(async () => {
      const open = await count('processor_event where handled_at is null', [])
      return open === 0 && (await count('processor_event', [])) === events.length ? true : undefined
    }, 'every webhook is handled')
    const [books, tables] = [await booksOf(house.pool), await digestTables(house.pool)]
    const again = await Promise.all([...events, ...events.toReversed()].map(send))
    expect(new Set(again)).toEqual(new Set([200]))
    await house.settle()
    expect(await digestTables(house.pool)).toEqual(tables)
    for (const event of events.toReversed()) expect(await send({ ...event, id: `${event.id}x` })).toBe(200)
    await house.settle()
    expect(await booksOf(house.pool)).toEqual(books)
    expect(await count('processor_event where handled_at is null', [])).toBe(0)
  })

  test('telling of a failure after the success, and of a success after the failure, do not turn what is settled', async () => {
    const { events, send } = await openHook()
    const books = await booksOf(house.pool)
    const turned = { 'payment_intent.succeeded': 'canceled', 'payment_intent.payment_failed': 'succeeded' } as const
    let sent = 0
    for (const event of events) {
      if (!(event.type in turned)) continue
      const status = turned[event.type as keyof typeof turned]
      const type = status === 'canceled' ? 'payment_intent.canceled' : 'payment_intent.succeeded'
      const object = { ...event.data.object, status }
      expect(await send({ ...event, id: `${event.id}turned`, type, data: { object } } as Stripe.Event)).toBe(200)
      sent += 1
    }
    expect(sent).toBeGreaterThan(1)
    await house.settle()
    expect(await booksOf(house.pool)).toEqual(books)
  })
})

describe('closing a month', () => {
  test('by the service, the command and the API at once closes it once', async () => {
    const buyers = await count(`subscription where state = 'active'`, [])
    await house.pool.query(`update clock set now = '2026-07-01T00:00:00Z'`)
    const given = {
      DATABASE_URL: house.config.databaseUrl ?? '',
      TURNPIKE_MASTER_KEY: house.config.masterKey ?? '',
      TURNPIKE_CLOCK: 'manual',
    }
    const overCommand = () => runCommand(['close-month', '2026-06', '--json'], given)
    const overRest = () => house.town.ask(house.town.operator, 'POST', '/months/2026-06/close')
    const [commands, requests] = await Promise.all([
      Promise.all([overCommand(), overCommand()]),
      Promise.all([overRest(), overRest()]),
    ])
    const closed = { month: '2026-06', done: buyers, total: buyers, parked: 0, finished: true }
    expect(commands.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ])
    expect(commands.map(({ stdout }) => JSON.parse(stdout) as unknown)).toEqual([closed, closed])
    expect(requests).toEqual([
      { status: 200, body: closed },
      { status: 200, body: closed },
    ])
    expect(await count(`invoice where kind = 'monthly'`, [])).toBe(buyers)
    expect(await count('account_month', [])).toBe(buyers)
    await house.town.advance('2026-07-02T00:00:00Z')
    const books = await booksOf(house.pool)
    expect(await overRest()).toEqual({ status: 200, body: closed })
    expect((await overCommand()).code).toBe(0)
    await house.settle()
    expect(await booksOf(house.pool)).toEqual(books)
    expect((await house.proveBooks()).ok).toBe(true)
  })
})
