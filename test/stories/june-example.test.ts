/**
 * The June example of spec §7, through the public wires only: pages for the orders, the SDK for the machines, REST for the
 * seller, the operator and the clock. Then what the month's close, its collection, its settlement and its payouts make
 * of it.
 */
import {
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from '../house.ts'

let house: TestHouse
let seller: Person
let product: SellableProduct
let imageId = ''
const buyers: Record<'a' | 'b' | 'c', Person> = {} as never

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2009-06-01T09:00:00Z') })
  seller = await house.newPerson()
  product = await house.town.sell(seller)
  const { operator } = house.town
  await house.town.asked(operator, 'POST', `/sellers/${seller.accountId}/verify-bank-account`)
  const ec2 = house.town.ec2(seller)
  const image = new RegisterImageCommand({ Name: 'abc-ami', ImageLocation: 'abc/manifest.xml', Architecture: 'x86_64' })
  imageId = (await ec2.send(image)).ImageId ?? ''
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [product.productCode] }))
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: [{ Group: 'all' }] } }))
}, 60_000)
afterAll(() => house.close())

/** One instance, launched when the clock stands at `from` and terminated at `to`. */
async function use(who: Person, instanceType: 'm1.small' | 'm1.large' | 'm1.xlarge', to: string): Promise<void> {
  const client = house.town.ec2(who)
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({ ImageId: imageId, InstanceType: instanceType, MinCount: 1, MaxCount: 1 }),
  )
  // The clock lets what is pending finish before it moves.
  await house.town.advance(to)
  await client.send(new TerminateInstancesCommand({ InstanceIds: [Instances[0]?.InstanceId ?? ''] }))
  await house.settle()
}

interface Money {
  readonly amount: string
  readonly currency: string
}

async function monthToDate(who: Person): Promise<string | undefined> {
  const { totals } = await house.town.asked(who, 'GET', '/estimate')
  return (totals as Money[])[0]?.amount
}

async function billsOf(who: Person): Promise<unknown[]> {
  const { invoices } = (await house.town.asked(who, 'GET', '/invoices')) as {
    invoices: { kind: string; month: string; total: string; state: string }[]
  }
  return invoices.map(({ kind, month, total, state }) => [kind, month, total, state])
}

async function activityOf(month: string): Promise<Record<string, unknown> | undefined> {
  const { products } = await house.town.asked(seller, 'GET', `/seller/activity?month=${month}`)
  return (products as Record<string, unknown>[])[0]
}

describe.sequential('June 2009', () => {
  test('three buyers sign up on the 3rd, 4th and 5th and pay the rest of the month', async () => {
    for (const [name, day] of [
      ['a', '03'],
      ['b', '04'],
      ['c', '05'],
    ] as const) {
      await house.town.advance(`2009-06-${day}T10:00:00Z`)
      buyers[name] = await house.newPerson()
      await house.subscribe(buyers[name], product)
    }
    expect(await billsOf(buyers.a)).toEqual([['sign-up', '2009-06', '18.67', 'paid']])
    expect(await billsOf(buyers.b)).toEqual([['sign-up', '2009-06', '18.00', 'paid']])
    expect(await billsOf(buyers.c)).toEqual([['sign-up', '2009-06', '17.33', 'paid']])
  })

  test('by the 14th the month to date is what the example says', async () => {
    await house.town.advance('2009-06-09T08:00:00Z')
    // Every hour begun counts whole: 2 h 30 min are three hours.
    await use(buyers.a, 'm1.large', '2009-06-09T10:30:00Z')
    await use(buyers.a, 'm1.xlarge', '2009-06-09T15:00:00Z')
    await use(buyers.b, 'm1.small', '2009-06-09T22:59:59Z')
    await house.town.advance('2009-06-14T00:00:00Z')
    expect([await monthToDate(buyers.a), await monthToDate(buyers.b), await monthToDate(buyers.c)]).toEqual([
      '24.67',
      '19.60',
      '17.33',
    ])
    const { products } = await house.town.asked(buyers.a, 'GET', '/estimate')
    const lines = (products as { lines: Money[] }[]).flatMap((each) => each.lines)
    expect(lines.map((line) => line.amount).sort()).toEqual(['1.50', '18.67', '4.50'])
    expect(await activityOf('2009-06')).toMatchObject({
      expectedRevenue: '61.60',
      monthly: '54.00',
      usageRevenue: '7.60',
      // 3 large at 0.40, 5 extra-large at 0.80, 8 small at 0.10.
      cost: '6.00',
      valueAdd: '55.60',
    })
  })

  test('the pages say the same', async () => {
    const visitor = house.town.visitor()
    await house.town.signIn(visitor, buyers.a)
    expect((await visitor.open(`${house.town.url}/billing`)).document.querySelector('#month-to-date')?.text).toContain(
      '24.67',
    )
  })

  test('the close of the month bills the use of June and the charge of July, and collects both', async () => {
    await house.town.advance('2009-07-01T12:00:00Z')
    expect(await billsOf(buyers.a)).toEqual([
      ['monthly', '2009-06', '26.00', 'paid'],
      ['sign-up', '2009-06', '18.67', 'paid'],
    ])
    expect((await billsOf(buyers.b))[0]).toEqual(['monthly', '2009-06', '21.60', 'paid'])
    expect((await billsOf(buyers.c))[0]).toEqual(['monthly', '2009-06', '20.00', 'paid'])
    expect(await activityOf('2009-06')).toMatchObject({
      expectedRevenue: '61.60',
      actualRevenue: '61.60',
      cost: '6.00',
    })
  })

  test('the seller keeps what fees and cloud cost leave, and is paid it', async () => {
    await house.town.advance('2009-07-07T00:00:00Z')
    // 3 % of 24.67 − 5.20, of 19.60 − 0.80 and of 17.33, each to the cent; 0.30 on each of six collected bills.
    expect(await activityOf('2009-06')).toMatchObject({ costCharged: '6.00', percentageFees: '1.66' })
    expect(await activityOf('2009-07')).toMatchObject({ actualRevenue: '60.00', percentageFees: '1.80' })
    const { payouts } = await house.town.asked(seller, 'GET', '/seller/payouts')
    const paid = (payouts as { amount: string; state: string }[]).map(({ amount, state }) => [amount, state])
    // 8 June: 54.00 − 3 × 0.30 − 0.56 − 0.54 − 0.52. All in all: 121.60 − 6 × 0.30 − 6.00 − 1.66 − 1.80 = 110.34.
    expect(paid).toEqual([
      ['58.86', 'paid'],
      ['51.48', 'paid'],
    ])
    expect((await house.proveBooks()).ok).toBe(true)
  })
})
