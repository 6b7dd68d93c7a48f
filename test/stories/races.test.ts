/** Two at once: the outcome is one of those that are allowed, and the books are proven. */
import {
  DescribeInstancesCommand,
  EC2ServiceException,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from '../house.ts'
import { runCommand } from '../service-process.ts'

let house: TestHouse
let seller: Person
let product: SellableProduct
let imageId = ''

beforeAll(async () => {
  house = await openTestHouse()
  seller = await house.newPerson()
})
afterAll(() => house.close())
beforeEach(async () => {
  product = await house.town.sell(seller, { price: { oneTime: '5.00', monthly: '20.00' } })
  imageId = await register()
  await attach()
})
afterEach(async () => {
  await house.settle()
  await house.proveBooks()
})

let images = 0

/** A public image of the seller's. */
async function register(): Promise<string> {
  images += 1
  const ec2 = house.town.ec2(seller)
  const { ImageId = '' } = await ec2.send(
    new RegisterImageCommand({ Name: `raced-${images}`, ImageLocation: 'raced/manifest.xml', Architecture: 'x86_64' }),
  )
  await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: [{ Group: 'all' }] } }))
  return ImageId
}

async function attach(): Promise<void> {
  await house.town
    .ec2(seller)
    .send(new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [product.productCode] }))
}

/** Launches one instance. @returns its product code, or the code of the refusal */
async function launch(client: EC2Client): Promise<{ productCode: string | undefined } | { refused: string }> {
  try {
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({ ImageId: imageId, InstanceType: 'm1.small', MinCount: 1, MaxCount: 1 }),
    )
    return { productCode: Instances[0]?.ProductCodes?.[0]?.ProductCodeId }
  } catch (error) {
    if (!(error instanceof EC2ServiceException)) throw error
    return { refused: error.name }
  }
}

async function statesOf({ accountId }: Person): Promise<string[]> {
  const { rows } = await house.pool.query<{ state: string }>(`select state from instance where account_id = $1`, [
    accountId,
  ])
  return rows.map((row) => row.state)
}

/** The clock, some hours on. */
async function hoursLater(hours: number): Promise<void> {
  const { now } = await house.town.asked(house.town.operator, 'GET', '/clock')
  await house.town.advance(new Date(Date.parse(String(now)) + hours * 3_600_000).toISOString())
}

describe('two buyers', () => {
  test('who order and launch at once each get theirs', async () => {
    const buyers = [await house.newPerson(), await house.newPerson()]
    const pages = await Promise.all(buyers.map((buyer) => house.town.order(buyer, product)))
    expect(pages.map((page) => page.text.includes('Thank you, your order is placed'))).toEqual([true, true])
    await house.settle()
    const clients = buyers.map((buyer) => house.town.ec2(buyer))
    const launched = await Promise.all([...clients, ...clients].map(launch))
    expect(launched).toEqual(launched.map(() => ({ productCode: product.productCode })))
    for (const buyer of buyers) {
      const { invoices } = await house.town.asked(buyer, 'GET', '/invoices')
      expect(invoices).toMatchObject([{ kind: 'sign-up', state: 'paid', total: '25.00' }])
      expect(await statesOf(buyer)).toHaveLength(2)
    }
  })
})

describe('one buyer', () => {
  test('who cancels twice at once is refunded once', async () => {
    const buyer = await house.newPerson()
    await house.subscribe(buyer, product)
    const { subscriptions } = await house.town.asked(buyer, 'GET', '/subscriptions')
    const [{ subscriptionId } = { subscriptionId: '' }] = subscriptions as { subscriptionId: string }[]
    const cancel = () => house.town.asked(buyer, 'POST', `/subscriptions/${subscriptionId}/cancel`)
    const answers = await Promise.all([cancel(), cancel(), cancel()])
    expect(answers.filter((answer) => answer['cancelled'] === true)).toHaveLength(1)
    await house.settle()
    const { rows } = await house.pool.query<{ amount: bigint; state: string }>(
      'select amount, state from refund where account_id = $1',
      [buyer.accountId],
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.state).toBe('succeeded')
  })

  test('who launches while the subscription is cancelled is served or refused, and nothing goes on running', async () => {
    const buyer = await house.newPerson()
    await house.subscribe(buyer, product)
    const { subscriptions } = await house.town.asked(buyer, 'GET', '/subscriptions')
    const [{ subscriptionId } = { subscriptionId: '' }] = subscriptions as { subscriptionId: string }[]
    const client = house.town.ec2(buyer)
    expect(await launch(client)).toEqual({ productCode: product.productCode })
    const launches = Array.from({ length: 6 }, () => launch(client))
    const [cancelled, ...outcomes] = await Promise.all([
      house.town.asked(buyer, 'POST', `/subscriptions/${subscriptionId}/cancel`),
      ...launches,
    ])
    expect(cancelled['cancelled']).toBe(true)
    const allowed = [{ productCode: product.productCode }, { refused: 'OptInRequired' }]
    for (const outcome of outcomes) expect(allowed).toContainEqual(outcome)
    const served = outcomes.filter((outcome) => 'productCode' in outcome).length
    expect(await launch(client)).toEqual({ refused: 'OptInRequired' })
    await house.settle()
    expect(await statesOf(buyer)).toEqual(Array.from({ length: served + 1 }, () => 'running'))
    // The grace period is an hour; then the product's policy stops them.
    await hoursLater(2)
    expect(await statesOf(buyer)).toEqual(Array.from({ length: served + 1 }, () => 'stopped'))
  })

  test('whose access key is deactivated while requests run is refused from then on', async () => {
    const buyer = await house.newPerson()
    const client = house.town.ec2(buyer)
    let deactivated = false
    const late: string[] = []
    const askOn = async (): Promise<void> => {
      for (;;) {
        const begun = deactivated
        try {
          await client.send(new DescribeInstancesCommand({}))
          if (begun) late.push('answered after the key was deactivated')
        } catch (error) {
          if (!(error instanceof EC2ServiceException)) throw error
          expect(error.name).toBe('InvalidClientTokenId')
          return
        }
      }
    }
    const running = [askOn(), askOn(), askOn(), askOn()]
    await house.town.asked(buyer, 'PATCH', `/access-keys/${buyer.accessKeyId}`, { active: false })
    deactivated = true
    await Promise.all(running)
    expect(late).toEqual([])
    expect((await house.town.ask(buyer, 'GET', '/account')).status).toBe(401)
  })
})

describe('the seller', () => {
  test('who attaches the code while others launch: whoever launched before it has none, whoever after must buy', async () => {
    imageId = await register()
    const stranger = await house.newPerson()
    const client = house.town.ec2(stranger)
    const launches = Array.from({ length: 8 }, () => launch(client))
    const outcomes = await Promise.all([...launches, attach()])
    for (const outcome of outcomes.slice(0, -1)) {
      expect([{ productCode: undefined }, { refused: 'OptInRequired' }]).toContainEqual(outcome)
    }
    expect(await launch(client)).toEqual({ refused: 'OptInRequired' })
    const { rows } = await house.pool.query<{ codes: number }>(
      'select count(product_code)::int as codes from instance where account_id = $1',
      [stranger.accountId],
    )
    expect(rows[0]?.codes).toBe(0)
  })
})

describe('the operator', () => {
  test('who moves the clock by command and by request at once closes the month once', async () => {
    const buyer = await house.newPerson()
    await house.subscribe(buyer, product)
    const given = {
      DATABASE_URL: house.config.databaseUrl ?? '',
      TURNPIKE_MASTER_KEY: house.config.masterKey ?? '',
      TURNPIKE_CLOCK: 'manual',
    }
    const to = '2026-07-03T00:00:00Z'
    const [command, request] = await Promise.all([
      runCommand(['clock', 'advance', to, '--json'], given),
      house.town.ask(house.town.operator, 'POST', '/clock/advance', { to }),
    ])
    expect([command.code, command.stderr, request.status]).toEqual([0, '', 200])
    const { invoices } = await house.town.asked(buyer, 'GET', '/invoices')
    expect(invoices).toMatchObject([
      { kind: 'monthly', month: '2026-06', state: 'paid', total: '20.00' },
      { kind: 'sign-up', state: 'paid' },
    ])
    expect((await house.town.asked(buyer, 'GET', '/clock'))['now']).toBe('2026-07-03T00:00:00.000Z')
  })
})
