/**
 * Money at the edges of months, through the public wires: sign-ups and cancellations on first and last days, a second
 * subscription in the same month, runs over a month's end and over a price change, sellers who share a bill, bills of
 * nothing and of too little.
 */
import {
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProductInput } from '../../src/products/product-input.ts'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from '../house.ts'

type Price = ProductInput['price']

const hourly = (instanceType: string, rate: string) => [
  { region: 'us-east-1', environment: 'linux', instanceType, rate },
]

let house: TestHouse
/** $5.00 once, $31.00 a month, $0.20 an hour. */
let main: Sold
/** Another seller's: $10.00 a month. */
let other: Sold
/** $0.20 an hour and nothing else. */
let metered: Sold
/** Free on small instances: the seller bears the cloud's cost. */
let free: Sold

interface Sold {
  readonly product: SellableProduct
  readonly imageId: string
}

async function sell(name: string, price: Price): Promise<Sold> {
  const seller = await house.newPerson()
  const product = await house.town.sell(seller, { name, price })
  const ec2 = house.town.ec2(seller)
  const registered = await ec2.send(
    new RegisterImageCommand({ Name: name, ImageLocation: 'bucket/manifest.xml', Architecture: 'x86_64' }),
  )
  const imageId = registered.ImageId ?? ''
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [product.productCode] }))
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: [{ Group: 'all' }] } }))
  return { product, imageId }
}

async function subscriber(...sold: Sold[]): Promise<Person> {
  const buyer = await house.newPerson()
  for (const { product } of sold) await house.subscribe(buyer, product)
  return buyer
}

async function launch(buyer: Person, { imageId }: Sold): Promise<string> {
  const { Instances = [] } = await house.town
    .ec2(buyer)
    .send(new RunInstancesCommand({ ImageId: imageId, InstanceType: 'm1.small', MinCount: 1, MaxCount: 1 }))
  await house.settle()
  return Instances[0]?.InstanceId ?? ''
}

async function stop(buyer: Person, instanceId: string): Promise<void> {
  await house.town.ec2(buyer).send(new StopInstancesCommand({ InstanceIds: [instanceId] }))
  await house.settle()
}

/** Cancels what is live. @returns what is given back */
async function cancel(buyer: Person): Promise<string | undefined> {
  const { subscriptions } = await house.town.asked(buyer, 'GET', '/subscriptions')
  const live = (subscriptions as { subscriptionId: string; state: string }[]).find((one) => one.state === 'active')
  const answer = await house.town.asked(buyer, 'POST', `/subscriptions/${live?.subscriptionId ?? ''}/cancel`)
  await house.settle()
  return (answer['refund'] as { amount: string } | undefined)?.amount
}

/** Kind, month and total of each bill, newest first. */
async function bills(buyer: Person): Promise<string[]> {
  const { invoices } = await house.town.asked(buyer, 'GET', '/invoices')
  const all = invoices as { kind: string; month: string; total: string; amountDue: string; state: string }[]
  return all.map((one) => `${one.kind} ${one.month} ${one.total} (${one.amountDue}) ${one.state}`)
}

/** Kind, quantity and amount of each line of the newest bill. */
async function newestLines(buyer: Person): Promise<string[]> {
  const { invoices } = await house.town.asked(buyer, 'GET', '/invoices')
  const [{ invoiceId } = { invoiceId: '' }] = invoices as { invoiceId: string }[]
  const { lines } = await house.town.asked(buyer, 'GET', `/invoices/${invoiceId}`)
  const all = lines as { kind: string; quantity: string; amount: string }[]
  return all.map((line) => `${line.kind} ${line.quantity} ${line.amount}`).sort()
}

async function feesOf({ product }: Sold): Promise<number> {
  const { rows } = await house.pool.query<{ fees: number }>(
    `select count(*)::int as fees from transfer where kind = 'transaction-fee' and product_code = $1 and month = '2026-02'`,
    [product.productCode],
  )
  return rows[0]?.fees ?? 0
}

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-01-31T12:00:00Z') })
  main = await sell('Main', { oneTime: '5.00', monthly: '31.00', rates: hourly('m1.small', '0.20') })
  other = await sell('Other', { monthly: '10.00' })
  metered = await sell('Metered', { rates: hourly('m1.small', '0.20') })
  free = await sell('Free', { rates: hourly('m1.large', '0.50') })
}, 60_000)
afterAll(async () => {
  await house.close()
})

describe.sequential('over the ends of January and February', () => {
  let last: Person
  let first: Person
  let instanceId = ''

  test('a sign-up in the last millisecond pays for one day, and for the next month a millisecond later', async () => {
    await house.town.advance('2026-01-31T23:59:59.999Z')
    last = await subscriber(main)
    expect(await bills(last)).toEqual(['sign-up 2026-01 6.00 (6.00) paid'])
    await house.town.advance('2026-02-01T00:00:00.000Z')
    first = await subscriber(main)
    expect(await bills(last)).toEqual(['monthly 2026-01 31.00 (31.00) paid', 'sign-up 2026-01 6.00 (6.00) paid'])
  })

  test('a sign-up on the first day pays the whole month, and nothing for the month before', async () => {
    await house.town.advance('2026-02-01T06:00:00Z')
    expect(await bills(first)).toEqual(['sign-up 2026-02 36.00 (36.00) paid'])
  })

  test('cancelled on the first day, all but that day is given back; subscribed again, everything is charged anew', async () => {
    instanceId = await launch(last, main)
    await house.town.advance('2026-02-01T12:00:00Z')
    expect(await cancel(last)).toBe('29.89')
    await house.town.advance('2026-02-01T12:30:00Z')
    await house.subscribe(last, main.product)
    expect((await bills(last))[0]).toBe('sign-up 2026-02 36.00 (36.00) paid')
    // The end of access stops what runs under the first subscription, an hour after it was cancelled.
    await house.town.advance('2026-02-01T14:00:00Z')
    await house.town.ec2(last).send(new StartInstancesCommand({ InstanceIds: [instanceId] }))
    await house.settle()
    await house.town.advance('2026-02-01T15:30:00Z')
    await stop(last, instanceId)
  })

  test('two sellers share a bill, and each pays its own fee for it', async () => {
    await house.town.advance('2026-02-10T00:00:00Z')
    const both = await subscriber(main, other)
    expect((await bills(both)).sort()).toEqual([
      'sign-up 2026-02 26.04 (26.04) paid',
      'sign-up 2026-02 6.79 (6.79) paid',
    ])
    const [mainFees, otherFees] = [await feesOf(main), await feesOf(other)]
    const [tooLittle, nothing] = [await subscriber(metered), await subscriber(free)]
    const [a, b] = [await launch(tooLittle, metered), await launch(nothing, free)]
    await house.town.advance('2026-02-10T02:00:00Z')
    await stop(tooLittle, a)
    await stop(nothing, b)

    await house.town.advance('2026-02-28T22:30:00Z')
    const across = await subscriber(main)
    const running = await launch(across, main)
    await house.town.advance('2026-02-28T23:59:59.999Z')
    // On the last day no day is left to give back, and March is not charged.
    expect(await cancel(first)).toBeUndefined()
    // From 01:00 on an hour costs $0.30. Setting prices anew has no wire yet.
    await house.pool.query(
      `insert into price_version (product_code, version, effective_at, one_time, monthly, created_at)
         select product_code, 2, '2026-03-01T01:00:00Z', one_time, monthly, created_at from price_version where product_code = $1`,
      [main.product.productCode],
    )
    await house.pool.query(
      `insert into price_rate (product_code, version, dimension, rate_nano)
         select product_code, 2, dimension, 300000000 from price_rate where product_code = $1`,
      [main.product.productCode],
    )
    await house.town.advance('2026-03-01T01:45:00Z')
    await stop(across, running)

    expect(await bills(first)).toHaveLength(1)
    expect((await bills(both))[0]).toBe('monthly 2026-02 41.00 (41.00) paid')
    expect(await newestLines(both)).toEqual(['monthly 1 10.00', 'monthly 1 31.00'])
    // Of main: this buyer's, the one of two subscriptions', and the one's whose run goes on.
    expect((await feesOf(main)) - mainFees).toBe(4)
    expect((await feesOf(other)) - otherFees).toBe(1)

    // 06:00 to 13:00 under the first subscription, 14:00 to 15:30 under the second, and March once.
    expect(await newestLines(last)).toEqual(['monthly 1 31.00', 'usage 2 0.40', 'usage 7 1.40'])
    expect((await bills(last))[0]).toBe('monthly 2026-02 32.80 (32.80) paid')

    // Hours begin at 22:30 and 23:30 in February, 00:30 and 01:30 in March.
    expect(await newestLines(across)).toEqual(['monthly 1 31.00', 'usage 2 0.40'])
    expect(await bills(tooLittle)).toEqual(['monthly 2026-02 0.40 (0.40) carried'])
    expect(await bills(nothing)).toEqual(['monthly 2026-02 0.00 (0.00) paid'])

    await house.town.advance('2026-03-05T00:00:00Z')
    const again = await launch(tooLittle, metered)
    await house.town.advance('2026-03-05T01:00:00Z')
    await stop(tooLittle, again)
    await house.town.advance('2026-04-01T00:00:00Z')
    expect(await newestLines(across)).toEqual(['monthly 1 31.00', 'usage 1 0.20', 'usage 1 0.30'])
    // $0.20 and the $0.40 of February.
    expect(await bills(tooLittle)).toEqual(['monthly 2026-03 0.20 (0.60) paid', 'monthly 2026-02 0.40 (0.40) paid'])
  })

  test('the seller of what is free owes the cloud its rate', async () => {
    await house.town.advance('2026-04-02T00:00:00Z')
    const activity = await house.town.asked(free.product.seller, 'GET', '/seller/activity?month=2026-02')
    expect((activity['products'] as unknown[])[0]).toMatchObject({
      cost: '0.20',
      costCharged: '0.20',
      actualRevenue: '0.00',
    })
  })

  test('the books are proven', async () => {
    expect((await house.proveBooks()).ok).toBe(true)
  })
})
