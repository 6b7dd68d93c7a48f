import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { advanceAll, callerOf, launch, newImage, newPaidImage, region, subscribe } from '../../test/machines.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import { sql } from '../database/database.ts'
import { attachProductCode } from '../images/attach-product-code.ts'
import { deregisterImage } from '../images/deregister-image.ts'
import type { Image } from '../images/images.ts'
import { modifyLaunchPermission } from '../images/modify-launch-permission.ts'
import type { Product } from '../products/products.ts'
import { endSubscription } from '../subscriptions/end-subscription.ts'
import { describeInstances } from './describe-instances.ts'
import { runInstances, type RunInstancesRequest } from './run-instances.ts'

let house: TestDatabase
let product: Product
let seller: string
let paid: Image

beforeAll(async () => {
  house = await testDatabase({ config: { instancesPerAccountMax: 20 } })
  const registration = await newProduct(house.database)
  product = registration.product
  seller = registration.sellerAccountId
  paid = await newPaidImage(house.database, product)
})
afterAll(() => house.close())

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

async function refusal(accountId: string, imageId: string, changes: Partial<RunInstancesRequest> = {}): Promise<Fault> {
  return await faultOf(launch(house.database, accountId, imageId, changes))
}

async function countOf(accountId: string): Promise<Record<string, number>> {
  return await house.database.read((tx) =>
    tx.one<Record<string, number>>(sql`select
      (select count(*)::int from reservation where account_id = ${accountId}) as reservations,
      (select count(*)::int from instance where account_id = ${accountId}) as instances,
      (select count(*)::int from instance_transition where account_id = ${accountId}) as transitions,
      (select count(*)::int from tag where account_id = ${accountId}) as tags,
      (select count(*)::int from graphile_worker._private_jobs where payload->>'accountId' = ${accountId}) as tasks`),
  )
}

test('a paid image is refused before the purchase, with the purchase URL, and nothing is left', async () => {
  const buyer = await newAccount(house.database)
  const fault = await refusal(buyer, paid.imageId, { clientToken: 'before' })
  expect(fault.code).toBe('NotSubscribed')
  expect(fault.message).toContain(`/purchase/${product.offeringCode}`)
  expect(await countOf(buyer)).toEqual({ reservations: 0, instances: 0, transitions: 0, tags: 0, tasks: 0 })
  await subscribe(house.database, buyer, product)
  // The refused attempt did not use up its token.
  expect((await launch(house.database, buyer, paid.imageId, { clientToken: 'before' })).instances).toHaveLength(1)
})

test('a launch answers pending instances with everything of theirs, and reads back the same', async () => {
  const buyer = await newAccount(house.database)
  const subscriptionId = await subscribe(house.database, buyer, product)
  const reservation = await launch(house.database, buyer, paid.imageId, {
    minCount: 2,
    maxCount: 3,
    instanceType: 'm1.large',
    keyName: 'key',
    userData: 'aGVsbG8=',
    availabilityZone: 'us-east-1b',
    securityGroups: ['web'],
    monitoring: true,
    shutdownBehavior: 'terminate',
    clientToken: 'full',
    tags: [
      { key: 'Name', value: 'one' },
      { key: 'b', value: '' },
    ],
  })
  expect(reservation.instances).toHaveLength(3)
  expect(reservation.instances[2]).toMatchObject({
    launchIndex: 2,
    imageId: paid.imageId,
    productCode: product.productCode,
    subscriptionId,
    state: 'pending',
    stateTransitionReason: '',
    availabilityZone: 'us-east-1b',
    instanceType: 'm1.large',
    keyName: 'key',
    shutdownBehavior: 'terminate',
    tags: [
      { key: 'Name', value: 'one' },
      { key: 'b', value: '' },
    ],
  })
  const addresses = reservation.instances.map(({ privateIpAddress }) => privateIpAddress)
  expect(new Set(addresses).size).toBe(3)
  for (const address of addresses) expect(address).toMatch(/^10\.\d+\.\d+\.\d+$/)
  const described = await house.database.read((tx) => describeInstances(tx, { caller: callerOf(buyer), region }))
  expect(described.reservations).toEqual([reservation])
  expect(await countOf(buyer)).toEqual({ reservations: 1, instances: 3, transitions: 3, tags: 6, tasks: 3 })
  expect(await advanceAll(house.database)).toBeGreaterThanOrEqual(3)
  const runs = await house.database.read((tx) =>
    tx.rows(
      sql`select subscription_id, product_code, instance_type, ended_at from instance_run where account_id = ${buyer}`,
    ),
  )
  const run = {
    subscription_id: subscriptionId,
    product_code: product.productCode,
    instance_type: 'm1.large',
    ended_at: null,
  }
  expect(runs).toEqual([run, run, run])
})

test('permission is asked before configuration, configuration before subscription', async () => {
  const buyer = await newAccount(house.database)
  const image = await newImage(house.database, seller)
  const own = { caller: callerOf(seller), region, imageId: image.imageId }
  await house.database.transaction((tx) => attachProductCode(tx, { ...own, productCodes: [product.productCode] }))
  const outside = { instanceType: 't3.micro' }
  expect((await refusal(buyer, image.imageId, outside)).code).toBe('NoLaunchPermission')
  await house.database.transaction((tx) => modifyLaunchPermission(tx, { ...own, add: { accountIds: [buyer] } }))
  expect((await refusal(buyer, image.imageId, outside)).code).toBe('OutsideConfiguration')
  expect((await refusal(buyer, image.imageId)).code).toBe('NotSubscribed')
  await subscribe(house.database, buyer, product)
  expect((await refusal(buyer, image.imageId, outside)).code).toBe('OutsideConfiguration')
  expect((await launch(house.database, buyer, image.imageId)).instances).toHaveLength(1)
})

test('the product’s seller needs no subscription, is not billed, and stays inside the configuration', async () => {
  const { instances } = await launch(house.database, seller, paid.imageId)
  expect(instances[0]).toMatchObject({ productCode: product.productCode })
  expect(instances[0]).not.toHaveProperty('subscriptionId')
  expect((await refusal(seller, paid.imageId, { instanceType: 't3.micro' })).code).toBe('OutsideConfiguration')
})

test('a supported image: another account’s image with the product’s code needs the same subscription', async () => {
  const owner = await newAccount(house.database)
  const subscriptionId = await subscribe(house.database, owner, product)
  const image = await newImage(house.database, owner)
  const own = { caller: callerOf(owner), region, imageId: image.imageId }
  await house.database.transaction((tx) => attachProductCode(tx, { ...own, productCodes: [product.productCode] }))
  const { instances } = await launch(house.database, owner, image.imageId)
  expect(instances[0]).toMatchObject({ productCode: product.productCode, subscriptionId })
  await house.database.transaction((tx) =>
    endSubscription(tx, { accountId: owner, subscriptionId, reason: 'cancelled-by-buyer' }),
  )
  expect((await refusal(owner, image.imageId)).code).toBe('NotSubscribed')
})

test('attaching a code later does not touch running instances', async () => {
  const image = await newImage(house.database, seller)
  const before = await launch(house.database, seller, image.imageId)
  const own = { caller: callerOf(seller), region, imageId: image.imageId }
  await house.database.transaction((tx) => attachProductCode(tx, { ...own, productCodes: [product.productCode] }))
  const { reservations } = await house.database.read((tx) =>
    describeInstances(tx, {
      caller: callerOf(seller),
      region,
      instanceIds: before.instances.map(({ instanceId }) => instanceId),
    }),
  )
  expect(reservations[0]?.instances[0]).not.toHaveProperty('productCode')
})

test('an image that is not there: malformed, unknown, of another region, deregistered', async () => {
  expect((await refusal(seller, 'ami-nonsense')).data['ec2Code']).toBe('InvalidAMIID.Malformed')
  expect((await refusal(seller, 'ami-00000000')).code).toBe('ImageNotFound')
  expect((await refusal(seller, paid.imageId, { region: 'eu-west-1' })).code).toBe('ImageNotFound')
  const image = await newImage(house.database, seller)
  const { instances } = await launch(house.database, seller, image.imageId)
  const own = { caller: callerOf(seller), region, imageId: image.imageId }
  await house.database.transaction((tx) => deregisterImage(tx, own))
  expect((await refusal(seller, image.imageId)).code).toBe('ImageUnavailable')
  const { reservations } = await house.database.read((tx) =>
    describeInstances(tx, { caller: callerOf(seller), region, instanceIds: [instances[0]?.instanceId ?? ''] }),
  )
  expect(reservations[0]?.instances[0]?.state).toBe('pending')
})

test('what the cloud does not have is refused', async () => {
  const image = await newImage(house.database, seller)
  const bad: Partial<RunInstancesRequest>[] = [
    { instanceType: 'm9.huge' },
    { availabilityZone: 'eu-west-1a' },
    { minCount: 0 },
    { minCount: 3, maxCount: 2 },
    { maxCount: 1001 },
    { clientToken: 'x'.repeat(65) },
    { userData: 'not base64!' },
    { tags: [{ key: '', value: '' }] },
    { tags: [{ key: 'a', value: '\u0000' }] },
    { keyName: 'a\u0000' },
    { securityGroups: ['\ud800'] },
    { clientToken: '\u0007' },
  ]
  for (const changes of bad) expect((await refusal(seller, image.imageId, changes)).code).toBe('InvalidParameter')
  const arm = await newImage(house.database, seller, { architecture: 'arm64' })
  expect((await refusal(seller, arm.imageId)).message).toContain("'arm64'")
})

test('the same token with the same request is one launch, answered as it is now; with another it is refused', async () => {
  const buyer = await newAccount(house.database)
  const subscriptionId = await subscribe(house.database, buyer, product)
  const request = { clientToken: 'twice', minCount: 2, maxCount: 2, tags: [{ key: 'a', value: 'b' }] }
  const first = await launch(house.database, buyer, paid.imageId, request)
  await advanceAll(house.database)
  await house.database.transaction((tx) =>
    endSubscription(tx, { accountId: buyer, subscriptionId, reason: 'cancelled-by-buyer' }),
  )
  const second = await launch(house.database, buyer, paid.imageId, request)
  expect(second.reservationId).toBe(first.reservationId)
  expect(second.instances.map(({ instanceId, state }) => [instanceId, state])).toEqual(
    first.instances.map(({ instanceId }) => [instanceId, 'running']),
  )
  for (const changes of [{ maxCount: 3 }, { keyName: 'k' }, { requestSha256: 'x' }, { tags: [] }]) {
    const fault = await refusal(buyer, paid.imageId, { ...request, ...changes })
    expect([fault.code, fault.data['ec2Code']]).toEqual(['IdempotencyMismatch', 'IdempotentParameterMismatch'])
  }
  expect(await countOf(buyer)).toMatchObject({ reservations: 1, instances: 2 })
})

test('two launches with one token at once are one launch', async () => {
  const buyer = await newAccount(house.database)
  await subscribe(house.database, buyer, product)
  const both = await Promise.all(
    Array.from({ length: 6 }, () => launch(house.database, buyer, paid.imageId, { clientToken: 'race' })),
  )
  expect(new Set(both.map(({ reservationId }) => reservationId)).size).toBe(1)
  expect(await countOf(buyer)).toMatchObject({ reservations: 1, instances: 1, tasks: 1 })
})

test('an account’s limit: as many as are free, or a refusal that says so', async () => {
  const owner = await newAccount(house.database)
  const image = await newImage(house.database, owner)
  expect((await launch(house.database, owner, image.imageId, { maxCount: 18 })).instances).toHaveLength(18)
  expect((await refusal(owner, image.imageId, { minCount: 3, maxCount: 3 })).data['ec2Code']).toBe(
    'InstanceLimitExceeded',
  )
  expect((await launch(house.database, owner, image.imageId, { maxCount: 5 })).instances).toHaveLength(2)
  expect((await refusal(owner, image.imageId)).code).toBe('LimitExceeded')
})

test('a launch during a cancellation comes wholly before it or is refused', async () => {
  for (let round = 0; round < 8; round += 1) {
    const buyer = await newAccount(house.database)
    const subscriptionId = await subscribe(house.database, buyer, product)
    const cancel = house.database.transaction((tx) =>
      endSubscription(tx, { accountId: buyer, subscriptionId, reason: 'cancelled-by-buyer' }),
    )
    const [ended, launched] = await Promise.allSettled([cancel, launch(house.database, buyer, paid.imageId)])
    expect(ended).toMatchObject({ status: 'fulfilled', value: true })
    if (launched.status === 'rejected') expect((launched.reason as Fault).code).toBe('NotSubscribed')
    expect(await countOf(buyer)).toMatchObject({ instances: launched.status === 'fulfilled' ? 1 : 0 })
  }
})

test('a cancellation waits for a launch that holds the subscription', async () => {
  const buyer = await newAccount(house.database)
  const subscriptionId = await subscribe(house.database, buyer, product)
  const order: string[] = []
  const cancelled = await house.database.transaction(async (tx) => {
    const request = { caller: callerOf(buyer), region, imageId: paid.imageId, minCount: 1, maxCount: 1 }
    await runInstances(tx, request)
    const cancel = house.database
      .transaction((other) =>
        endSubscription(other, { accountId: buyer, subscriptionId, reason: 'cancelled-by-buyer' }),
      )
      .then(() => order.push('cancelled'))
    for (let waiting = 0n; waiting === 0n;) {
      const { rows } = await house.pool.query<{ waiting: bigint }>(
        `select count(*) as waiting from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      )
      waiting = rows[0]?.waiting ?? 0n
    }
    order.push('launched')
    return { cancel }
  })
  await cancelled.cancel
  expect(order).toEqual(['launched', 'cancelled'])
})
