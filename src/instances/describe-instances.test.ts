import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { advanceAll, callerOf, launch, newImage, newPaidImage, region, subscribe } from '../../test/machines.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import { addMs, hourMs } from '../base/time.ts'
import { createTags } from '../images/create-tags.ts'
import type { Product } from '../products/products.ts'
import { confirmProductInstance } from './confirm-product-instance.ts'
import { describeInstances, type DescribeInstancesRequest } from './describe-instances.ts'
import type { Reservation } from './instances.ts'
import { stopInstances } from './stop-instances.ts'
import { terminateInstances } from './terminate-instances.ts'

let house: TestDatabase
let product: Product
let buyer: string
let paid: Reservation
let plain: Reservation

beforeAll(async () => {
  house = await testDatabase()
  const registration = await newProduct(house.database)
  product = registration.product
  buyer = await newAccount(house.database)
  await subscribe(house.database, buyer, product)
  const image = await newPaidImage(house.database, product)
  paid = await launch(house.database, buyer, image.imageId, {
    minCount: 2,
    maxCount: 2,
    clientToken: 'my-token',
    tags: [{ key: 'role', value: 'web*' }],
  })
  await advanceAll(house.database)
  await house.setClock(new Date('2026-06-02T03:04:05Z'))
  const own = await newImage(house.database, buyer, { environment: 'windows' })
  plain = await launch(house.database, buyer, own.imageId, {
    instanceType: 'm1.large',
    availabilityZone: 'us-east-1c',
    securityGroups: ['db'],
    minCount: 5,
    maxCount: 5,
  })
})
afterAll(() => house.close())

async function described(request: Partial<DescribeInstancesRequest> = {}, accountId = buyer) {
  return await house.database.read((tx) => describeInstances(tx, { caller: callerOf(accountId), region, ...request }))
}

async function filtered(name: string, ...values: string[]): Promise<number> {
  const { reservations } = await described({ filters: [{ name, values }] })
  return reservations.flatMap(({ instances }) => instances).length
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

function first(reservation: Reservation) {
  const [instance] = reservation.instances
  if (instance === undefined) throw new Error('a reservation has instances')
  return instance
}

test('an account sees its own instances of the region and no other', async () => {
  const { reservations } = await described()
  expect(reservations.map(({ reservationId }) => reservationId).toSorted()).toEqual(
    [paid.reservationId, plain.reservationId].toSorted(),
  )
  expect((await described({ region: 'eu-west-1' })).reservations).toEqual([])
  expect((await described({}, product.sellerAccountId)).reservations).toEqual([])
  const asked = described({ instanceIds: [first(paid).instanceId] }, product.sellerAccountId)
  expect((await faultOf(asked)).code).toBe('InstanceNotFound')
})

test('every filter finds by its own column', async () => {
  const one = first(plain)
  expect(await filtered('instance-id', one.instanceId, first(paid).instanceId)).toBe(2)
  expect(await filtered('instance-id', 'i-*')).toBe(7)
  expect(await filtered('image-id', first(paid).imageId)).toBe(2)
  expect(await filtered('instance-state-name', 'running')).toBe(2)
  expect(await filtered('instance-state-name', 'running', 'pending')).toBe(7)
  expect(await filtered('instance-state-code', '0')).toBe(5)
  expect(await filtered('instance-type', 'm1.*')).toBe(7)
  expect(await filtered('instance-type', 'm1.large')).toBe(5)
  expect(await filtered('product-code', product.productCode)).toBe(2)
  expect(await filtered('product-code.type', 'devpay')).toBe(2)
  expect(await filtered('reservation-id', plain.reservationId)).toBe(5)
  expect(await filtered('availability-zone', 'us-east-1c')).toBeGreaterThanOrEqual(5)
  expect(await filtered('launch-time', '2026-06-02T03:04:05.000Z')).toBe(5)
  expect(await filtered('launch-time', '2026-06-01*')).toBe(2)
  expect(await filtered('private-ip-address', one.privateIpAddress)).toBe(1)
  expect(await filtered('private-dns-name', one.privateDnsName)).toBe(1)
  expect(await filtered('owner-id', buyer)).toBe(7)
  expect(await filtered('owner-id', product.sellerAccountId)).toBe(0)
  expect(await filtered('platform', 'windows')).toBe(5)
  expect(await filtered('client-token', 'my-token')).toBe(2)
  expect(await filtered('group-name', 'db')).toBe(5)
  expect(await filtered('launch-index', '4')).toBe(1)
  expect(await filtered('tag:role', 'web\\*')).toBe(2)
  expect(await filtered('tag:role', 'w?b?')).toBe(2)
  expect(await filtered('tag:role', 'webx')).toBe(0)
  expect(await filtered('tag-key', 'role')).toBe(2)
  expect((await faultOf(filtered('instance-id'))).code).toBe('InvalidParameter')
  expect((await faultOf(filtered('image-id', '\u0000'))).code).toBe('InvalidParameter')
  expect((await faultOf(filtered('colour', 'x'))).code).toBe('InvalidParameter')
})

test('several filters must all match', async () => {
  const { reservations } = await described({
    filters: [
      { name: 'instance-state-name', values: ['pending'] },
      { name: 'product-code', values: [product.productCode] },
    ],
  })
  expect(reservations).toEqual([])
})

test('pages tile the list, also through the middle of a reservation', async () => {
  const seen: string[] = []
  let nextToken: string | undefined
  let pages = 0
  do {
    const page = await described({ maxResults: 5, ...(nextToken === undefined ? {} : { nextToken }) })
    for (const { instances } of page.reservations) {
      expect(instances.length).toBeGreaterThan(0)
      seen.push(...instances.map(({ instanceId }) => instanceId))
    }
    nextToken = page.nextToken
    pages += 1
  } while (nextToken !== undefined)
  expect(pages).toBe(2)
  expect(seen.toSorted()).toEqual(
    [...paid.instances, ...plain.instances].map(({ instanceId }) => instanceId).toSorted(),
  )
  expect((await faultOf(described({ maxResults: 4 }))).code).toBe('InvalidParameter')
  expect((await faultOf(described({ nextToken: 'x' }))).code).toBe('InvalidParameter')
  for (const key of [
    ['instances', 'r-0'],
    ['images', 'r-0', 1],
    ['instances', '\u0000', 1],
    ['instances', 'r-0', 2 ** 40],
  ]) {
    const madeUp = Buffer.from(JSON.stringify(key)).toString('base64url')
    expect((await faultOf(described({ nextToken: madeUp }))).code).toBe('InvalidParameter')
  }
  const both = described({ maxResults: 5, instanceIds: [first(paid).instanceId] })
  expect((await faultOf(both)).data['ec2Code']).toBe('InvalidParameterCombination')
})

test('a tag given later is shown', async () => {
  const { instanceId } = first(plain)
  await house.database.transaction((tx) =>
    createTags(tx, {
      caller: callerOf(buyer),
      region,
      resourceIds: [instanceId],
      tags: [{ key: 'late', value: 'yes' }],
    }),
  )
  const { reservations } = await described({ instanceIds: [instanceId] })
  expect(reservations[0]?.instances[0]?.tags).toEqual([{ key: 'late', value: 'yes' }])
  const strange = house.database.transaction((tx) =>
    createTags(tx, {
      caller: callerOf(product.sellerAccountId),
      region,
      resourceIds: [instanceId],
      tags: [{ key: 'a', value: 'b' }],
    }),
  )
  expect((await faultOf(strange)).code).toBe('InstanceNotFound')
})

test('the seller confirms an instance that runs under the own product code, and learns nothing of others', async () => {
  const confirm = async (accountId: string, instanceId: string, productCode = product.productCode) =>
    await house.database.read((tx) =>
      confirmProductInstance(tx, { caller: callerOf(accountId), region, productCode, instanceId }),
    )
  const seller = product.sellerAccountId
  const { instanceId } = first(paid)
  expect(await confirm(seller, instanceId)).toEqual({ confirmed: true, ownerId: buyer })
  expect(await confirm(seller, first(plain).instanceId)).toMatchObject({
    confirmed: false,
    refusal: { code: 'InstanceNotFound' },
  })
  expect(await confirm(seller, 'i-00000000')).toMatchObject({ confirmed: false, refusal: { code: 'InstanceNotFound' } })
  expect((await faultOf(confirm(buyer, instanceId))).code).toBe('Forbidden')
  expect((await faultOf(confirm(seller, instanceId, 'FFFFFFFF'))).code).toBe('ProductNotFound')
  expect((await faultOf(confirm(seller, 'x'))).data['ec2Code']).toBe('InvalidInstanceID.Malformed')
  await house.database.transaction((tx) =>
    stopInstances(tx, { accountId: buyer, instanceIds: [instanceId], actor: buyer }),
  )
  expect(await confirm(seller, instanceId)).toMatchObject({ confirmed: false, refusal: { code: 'IncorrectState' } })
})

test('a terminated instance is shown for an hour', async () => {
  const { instanceId } = first(plain)
  await house.database.transaction((tx) =>
    terminateInstances(tx, { accountId: buyer, instanceIds: [instanceId], actor: buyer }),
  )
  await advanceAll(house.database)
  expect((await described({ instanceIds: [instanceId] })).reservations[0]?.instances[0]?.state).toBe('terminated')
  await house.setClock(addMs(new Date('2026-06-02T03:04:05Z'), hourMs))
  expect((await faultOf(described({ instanceIds: [instanceId] }))).code).toBe('InstanceNotFound')
  expect(await filtered('reservation-id', plain.reservationId)).toBe(4)
})
