import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { callerOf, newImage, newPaidImage, region } from '../../test/machines.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { Fault } from '../base/fault.ts'
import type { Product } from '../products/products.ts'
import { createTags } from './create-tags.ts'
import { deleteTags } from './delete-tags.ts'
import { deregisterImage } from './deregister-image.ts'
import { describeImageAttribute } from './describe-image-attribute.ts'
import { describeImages, type DescribeImagesRequest } from './describe-images.ts'
import { describeTags } from './describe-tags.ts'
import type { Image } from './images.ts'
import { modifyDescription } from './modify-description.ts'
import { modifyLaunchPermission } from './modify-launch-permission.ts'
import { registerImage } from './register-image.ts'
import { resetLaunchPermission } from './reset-launch-permission.ts'

let house: TestDatabase
let product: Product
let seller: string
let friend: string
let stranger: string
let paid: Image
let hidden: Image
let shared: Image

beforeAll(async () => {
  house = await testDatabase()
  const registration = await newProduct(house.database)
  product = registration.product
  seller = registration.sellerAccountId
  friend = await newAccount(house.database)
  stranger = await newAccount(house.database)
  paid = await newPaidImage(house.database, product, {
    description: '100% of it_all',
    tags: [{ key: 'tier', value: 'gold' }],
  })
  hidden = await newImage(house.database, seller, { environment: 'windows', virtualizationType: 'hvm' })
  shared = await newImage(house.database, seller, {
    name: 'shared one',
    blockDeviceMappings: [{ deviceName: '/dev/sda1', ebs: { snapshotId: 'snap-12345678', volumeSizeGib: 8 } }],
  })
  await house.database.transaction((tx) =>
    modifyLaunchPermission(tx, { ...own(shared), add: { accountIds: [friend] } }),
  )
})
afterAll(() => house.close())

function own(image: Image) {
  return { caller: callerOf(image.ownerAccountId), region, imageId: image.imageId }
}

async function ids(accountId: string, request: Partial<DescribeImagesRequest> = {}): Promise<string[]> {
  const { images } = await house.database.read((tx) =>
    describeImages(tx, { caller: callerOf(accountId), region, ...request }),
  )
  return images.map(({ imageId }) => imageId)
}

async function filtered(name: string, ...values: string[]): Promise<string[]> {
  return await ids(seller, { filters: [{ name, values }] })
}

function set(...images: Image[]): string[] {
  return images.map(({ imageId }) => imageId).toSorted()
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Fault)
  return error as Fault
}

test('own, public and explicitly shared images are seen, others are not', async () => {
  expect(await ids(seller)).toEqual(set(paid, hidden, shared))
  expect(await ids(friend)).toEqual(set(paid, shared))
  expect(await ids(stranger)).toEqual(set(paid))
  expect(await ids(seller, { region: 'eu-west-1' })).toEqual([])
})

test('the product code is seen by everyone, the rest of the attributes by the owner alone', async () => {
  const { images } = await house.database.read((tx) => describeImages(tx, { caller: callerOf(stranger), region }))
  expect(images[0]).toMatchObject({ imageId: paid.imageId, productCode: product.productCode, isPublic: true, tags: [] })
  for (const attribute of ['productCodes', 'launchPermission', 'description', 'blockDeviceMapping']) {
    const request = { ...own(paid), attribute }
    const asked = house.database.read((tx) => describeImageAttribute(tx, { ...request, caller: callerOf(stranger) }))
    expect((await faultOf(asked)).data).toMatchObject({ ec2Code: 'AuthFailure' })
    expect(await house.database.read((tx) => describeImageAttribute(tx, request))).toMatchObject({ attribute })
  }
  const unknown = house.database.read((tx) => describeImageAttribute(tx, { ...own(paid), attribute: 'kernel' }))
  expect((await faultOf(unknown)).code).toBe('InvalidParameter')
})

test('owners and executable-by narrow the list', async () => {
  expect(await ids(friend, { owners: ['self'] })).toEqual([])
  expect(await ids(friend, { owners: [seller] })).toEqual(set(paid, shared))
  expect(await ids(friend, { owners: ['amazon'] })).toEqual([])
  expect(await ids(friend, { executableBy: ['self'] })).toEqual(set(shared))
  expect(await ids(friend, { executableBy: ['all'] })).toEqual(set(paid))
  expect(await ids(seller, { executableBy: [friend] })).toEqual(set(shared))
  expect(await ids(stranger, { executableBy: [friend] })).toEqual([])
  expect((await faultOf(ids(friend, { owners: ['nobody'] }))).data['ec2Code']).toBe('InvalidUserID.Malformed')
})

test('named ids are all seen, or the request is refused', async () => {
  expect(await ids(friend, { imageIds: [paid.imageId, shared.imageId] })).toEqual(set(paid, shared))
  expect((await faultOf(ids(stranger, { imageIds: [paid.imageId, shared.imageId] }))).code).toBe('NoLaunchPermission')
  expect((await faultOf(ids(stranger, { imageIds: ['ami-00000000'] }))).code).toBe('ImageNotFound')
  expect((await faultOf(ids(stranger, { imageIds: ['ami-xyz'] }))).data['ec2Code']).toBe('InvalidAMIID.Malformed')
})

test('every filter finds by its own column', async () => {
  expect(await filtered('image-id', paid.imageId)).toEqual(set(paid))
  expect(await filtered('name', 'shared*')).toEqual(set(shared))
  expect(await filtered('name', 'SHARED*')).toEqual([])
  expect(await filtered('description', '100%*')).toEqual(set(paid))
  expect(await filtered('description', '1000*')).toEqual([])
  expect(await filtered('owner-id', seller)).toEqual(set(paid, hidden, shared))
  expect(await filtered('is-public', 'true')).toEqual(set(paid))
  expect(await filtered('product-code', product.productCode)).toEqual(set(paid))
  expect(await filtered('product-code.type', 'devpay', 'marketplace')).toEqual(set(paid))
  expect(await filtered('product-code.type', 'marketplace')).toEqual([])
  expect(await filtered('state', 'available')).toEqual(set(paid, hidden, shared))
  expect(await filtered('architecture', 'x86_64')).toEqual(set(paid, hidden, shared))
  expect(await filtered('platform', 'windows')).toEqual(set(hidden))
  expect(await filtered('root-device-type', 'instance-store')).toEqual(set(paid, hidden, shared))
  expect(await filtered('virtualization-type', 'hvm')).toEqual(set(hidden))
  expect(await filtered('creation-date', '2026-06-01T00:00:*')).toEqual(set(paid, hidden, shared))
  expect(await filtered('manifest-location', 'bucket/*')).toEqual(set(paid, hidden, shared))
  expect(await filtered('tag:tier', 'gold')).toEqual(set(paid))
  expect(await filtered('tag:tier', 'silver')).toEqual([])
  expect(await filtered('tag-key', 'ti??')).toEqual(set(paid))
  expect((await faultOf(filtered('image-id'))).code).toBe('InvalidParameter')
  expect((await faultOf(filtered('colour', 'red'))).code).toBe('InvalidParameter')
})

test('pages tile the list and their token is opaque', async () => {
  const seen: string[] = []
  let nextToken: string | undefined
  do {
    const request = {
      caller: callerOf(seller),
      region,
      maxResults: 2,
      ...(nextToken === undefined ? {} : { nextToken }),
    }
    const page = await house.database.read((tx) => describeImages(tx, request))
    seen.push(...page.images.map(({ imageId }) => imageId))
    nextToken = page.nextToken
  } while (nextToken !== undefined)
  expect(seen).toEqual(set(paid, hidden, shared))
  expect((await faultOf(ids(seller, { nextToken: 'nonsense' }))).code).toBe('InvalidParameter')
  expect((await faultOf(ids(seller, { maxResults: 0 }))).code).toBe('InvalidParameter')
})

test('launch permissions are given, taken and reset, harmlessly when repeated', async () => {
  const image = await newImage(house.database, seller)
  const change = async (changes: object) =>
    await house.database.transaction((tx) => modifyLaunchPermission(tx, { ...own(image), ...changes }))
  const permissions = async () =>
    await house.database.read((tx) => describeImageAttribute(tx, { ...own(image), attribute: 'launchPermission' }))
  for (let time = 0; time < 2; time += 1) await change({ add: { accountIds: [friend], groups: ['all'] } })
  expect(await permissions()).toMatchObject({ accountIds: [friend], groups: ['all'] })
  await change({ add: { accountIds: [stranger] }, remove: { accountIds: [friend], groups: ['all'] } })
  expect(await permissions()).toMatchObject({ accountIds: [stranger], groups: [] })
  await house.database.transaction((tx) => resetLaunchPermission(tx, own(image)))
  expect(await permissions()).toMatchObject({ accountIds: [], groups: [] })
  expect((await faultOf(change({}))).code).toBe('MissingParameter')
  expect((await faultOf(change({ add: { groups: ['some'] } }))).code).toBe('InvalidParameter')
  expect((await faultOf(change({ add: { accountIds: ['999999999999'] } }))).code).toBe('InvalidParameter')
  expect((await faultOf(change({ caller: callerOf(stranger), add: { groups: ['all'] } }))).code).toBe('Forbidden')
  expect(await permissions()).toMatchObject({ accountIds: [], groups: [] })
})

test('a name is used once while its image is there; a deregistered image vanishes', async () => {
  const image = await newImage(house.database, seller, { name: 'once only' })
  const again = await faultOf(newImage(house.database, seller, { name: 'once only' }))
  expect(again.data).toMatchObject({ ec2Code: 'InvalidAMIName.Duplicate', imageId: image.imageId })
  await house.database.transaction((tx) => deregisterImage(tx, own(image)))
  expect(await ids(seller)).not.toContain(image.imageId)
  expect((await faultOf(ids(seller, { imageIds: [image.imageId] }))).code).toBe('ImageNotFound')
  const twice = house.database.transaction((tx) => deregisterImage(tx, own(image)))
  expect((await faultOf(twice)).code).toBe('ImageUnavailable')
  const anew = await newImage(house.database, seller, { name: 'once only' })
  expect(await ids(seller)).toContain(anew.imageId)
  await house.database.transaction((tx) => deregisterImage(tx, own(anew)))
})

test('what cannot be registered is refused with what is wrong', async () => {
  const register = async (changes: object) =>
    await faultOf(
      house.database.transaction((tx) =>
        registerImage(tx, { caller: callerOf(seller), region, name: 'good name', ...changes }),
      ),
    )
  expect((await register({})).code).toBe('MissingParameter')
  expect((await register({ name: 'x', imageLocation: 'b/m' })).data['ec2Code']).toBe('InvalidAMIName.Malformed')
  expect((await register({ imageLocation: 'b/m', architecture: 'vax' })).code).toBe('InvalidParameter')
  expect((await register({ imageLocation: 'b/m', environment: 'beos' })).code).toBe('InvalidParameter')
  expect((await register({ imageLocation: 'b/m', virtualizationType: 'none' })).code).toBe('InvalidParameter')
  const bad = [
    { description: 'x'.repeat(256) },
    { description: 'bell \u0007' },
    { imageLocation: 'b/\u0000' },
    { tags: [{ key: 'a\u0000', value: '' }] },
    { blockDeviceMappings: [{ deviceName: '' }] },
    { blockDeviceMappings: [{ deviceName: '/dev/sda1', ebs: { volumeSizeGib: 0 } }] },
    { blockDeviceMappings: [{ deviceName: '/dev/sda1', ebs: { snapshotId: '\u0000' } }] },
  ]
  for (const changes of bad) {
    expect([changes, (await register({ imageLocation: 'b/m', ...changes })).code]).toEqual([
      changes,
      'InvalidParameter',
    ])
  }
})

test('a description is the owner’s to change', async () => {
  const image = await newImage(house.database, seller)
  await house.database.transaction((tx) => modifyDescription(tx, { ...own(image), description: 'new words' }))
  const read = await house.database.read((tx) =>
    describeImageAttribute(tx, { ...own(image), attribute: 'description' }),
  )
  expect(read).toMatchObject({ description: 'new words' })
  await house.database.transaction((tx) => deregisterImage(tx, own(image)))
})

test('tags are their maker’s alone, on images the maker sees', async () => {
  const tag = async (accountId: string, image: Image, tags: { key: string; value: string }[]) =>
    await house.database.transaction((tx) =>
      createTags(tx, { caller: callerOf(accountId), region, resourceIds: [image.imageId], tags }),
    )
  await tag(friend, shared, [{ key: 'mine', value: 'a' }])
  await tag(friend, shared, [{ key: 'mine', value: 'b' }])
  const tagsOf = async (accountId: string) =>
    (await house.database.read((tx) => describeTags(tx, { caller: callerOf(accountId) }))).tags
  expect(await tagsOf(friend)).toEqual([{ resourceId: shared.imageId, resourceType: 'image', key: 'mine', value: 'b' }])
  expect(await tagsOf(seller)).toMatchObject([{ resourceId: paid.imageId, key: 'tier' }])
  expect((await faultOf(tag(stranger, shared, [{ key: 'a', value: '' }]))).code).toBe('NoLaunchPermission')
  expect((await faultOf(tag(friend, shared, [{ key: 'aws:x', value: '' }]))).code).toBe('InvalidParameter')
  const many = Array.from({ length: 50 }, (_, index) => ({ key: `key-${index}`, value: '' }))
  expect((await faultOf(tag(friend, shared, many))).code).toBe('LimitExceeded')
  expect(await tagsOf(friend)).toHaveLength(1)
  const untag = async (tags: { key: string; value?: string }[]) =>
    await house.database.transaction((tx) =>
      deleteTags(tx, { caller: callerOf(friend), region, resourceIds: [shared.imageId], tags }),
    )
  await untag([{ key: 'mine', value: 'another' }])
  expect(await tagsOf(friend)).toHaveLength(1)
  await untag([{ key: 'mine' }])
  expect(await tagsOf(friend)).toEqual([])
})
