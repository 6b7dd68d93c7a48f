import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { callerOf, newImage, newPaidImage, region, subscribe } from '../../test/machines.ts'
import { newAccount, newProduct } from '../../test/products.ts'
import { listAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import { endSubscription } from '../subscriptions/end-subscription.ts'
import { openSubscription } from '../subscriptions/open-subscription.ts'
import { attachProductCode } from './attach-product-code.ts'
import { deregisterImage } from './deregister-image.ts'
import { describeImageAttribute } from './describe-image-attribute.ts'
import { resetLaunchPermission } from './reset-launch-permission.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

async function attach(accountId: string, imageId: string, ...productCodes: string[]) {
  return await house.database.transaction((tx) =>
    attachProductCode(tx, { caller: callerOf(accountId), region, imageId, productCodes }),
  )
}

async function codesOf(accountId: string, imageId: string) {
  return await house.database.read((tx) =>
    describeImageAttribute(tx, { caller: callerOf(accountId), region, imageId, attribute: 'productCodes' }),
  )
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Fault)
  return (error as Fault).code
}

test('the owner of image and product writes the code once; a repeat is harmless, another code is refused', async () => {
  const { product, sellerAccountId } = await newProduct(house.database)
  const image = await newImage(house.database, sellerAccountId)
  expect(await codesOf(sellerAccountId, image.imageId)).toMatchObject({ productCodes: [] })
  expect(await attach(sellerAccountId, image.imageId, product.productCode)).toMatchObject({ attached: true })
  expect(await attach(sellerAccountId, image.imageId, product.productCode)).toMatchObject({ attached: false })
  const other = await newProduct(house.database)
  expect(await refusal(attach(sellerAccountId, image.imageId, other.product.productCode))).toBe('ProductCodeAlreadySet')
  expect(await codesOf(sellerAccountId, image.imageId)).toMatchObject({ productCodes: [product.productCode] })
  const audit = await house.database.read((tx) => listAudit(tx, { accountId: sellerAccountId }))
  expect(audit.filter(({ action }) => action === 'image.attach-product-code')).toHaveLength(1)
})

test('the code cannot be removed: resetting knows launch permissions only, and anew means another image', async () => {
  const { product, sellerAccountId } = await newProduct(house.database)
  const image = await newPaidImage(house.database, product)
  const request = { caller: callerOf(sellerAccountId), region, imageId: image.imageId }
  const reset = house.database.transaction((tx) => resetLaunchPermission(tx, { ...request, attribute: 'productCodes' }))
  expect(await refusal(reset)).toBe('InvalidParameter')
  await house.database.transaction((tx) => resetLaunchPermission(tx, { ...request, attribute: 'launchPermission' }))
  expect(await codesOf(sellerAccountId, image.imageId)).toMatchObject({ productCodes: [product.productCode] })
})

test('one code in a request, of a product that exists, on an image that exists and is the caller’s', async () => {
  const { product, sellerAccountId } = await newProduct(house.database)
  const image = await newImage(house.database, sellerAccountId)
  expect(await refusal(attach(sellerAccountId, image.imageId))).toBe('InvalidParameter')
  expect(await refusal(attach(sellerAccountId, image.imageId, product.productCode, product.productCode))).toBe(
    'InvalidParameter',
  )
  expect(await refusal(attach(sellerAccountId, image.imageId, 'FFFFFFFF'))).toBe('ProductNotFound')
  expect(await refusal(attach(sellerAccountId, 'ami-00000000', product.productCode))).toBe('ImageNotFound')
  expect(await refusal(attach(sellerAccountId, 'nonsense', product.productCode))).toBe('InvalidParameter')
  expect(await refusal(attach(await newAccount(house.database), image.imageId, product.productCode))).toBe('Forbidden')
  await house.database.transaction((tx) =>
    deregisterImage(tx, { caller: callerOf(sellerAccountId), region, imageId: image.imageId }),
  )
  expect(await refusal(attach(sellerAccountId, image.imageId, product.productCode))).toBe('ImageUnavailable')
})

test('a supported image: a subscribed buyer puts the code on an own image inside the configuration', async () => {
  const { product } = await newProduct(house.database)
  const buyer = await newAccount(house.database)
  const image = await newImage(house.database, buyer)
  const windows = await newImage(house.database, buyer, { environment: 'windows' })
  expect(await refusal(attach(buyer, image.imageId, product.productCode))).toBe('NotSubscribed')
  await house.database.transaction((tx) => openSubscription(tx, { accountId: buyer, product }))
  expect(await refusal(attach(buyer, image.imageId, product.productCode))).toBe('NotSubscribed')
  const subscriptionId = await subscribe(house.database, buyer, product)
  expect(await refusal(attach(buyer, windows.imageId, product.productCode))).toBe('OutsideConfiguration')
  expect(await attach(buyer, image.imageId, product.productCode)).toMatchObject({ attached: true })
  await house.database.transaction((tx) =>
    endSubscription(tx, { accountId: buyer, subscriptionId, reason: 'cancelled-by-buyer' }),
  )
  const second = await newImage(house.database, buyer)
  expect(await refusal(attach(buyer, second.imageId, product.productCode))).toBe('NotSubscribed')
})

test('the product’s owner may put the code on an image outside the configuration', async () => {
  const { product, sellerAccountId } = await newProduct(house.database)
  const windows = await newImage(house.database, sellerAccountId, { environment: 'windows' })
  expect(await attach(sellerAccountId, windows.imageId, product.productCode)).toMatchObject({ attached: true })
})

test('of two codes at once exactly one is written', async () => {
  const first = await newProduct(house.database)
  const { sellerAccountId } = first
  const second = await newProduct(house.database)
  await subscribe(house.database, sellerAccountId, second.product)
  const image = await newImage(house.database, sellerAccountId)
  const codes = [first.product.productCode, second.product.productCode]
  const outcomes = await Promise.allSettled(codes.map((code) => attach(sellerAccountId, image.imageId, code)))
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  const lost = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult
  expect((lost.reason as Fault).code).toBe('ProductCodeAlreadySet')
  const written = await codesOf(sellerAccountId, image.imageId)
  expect(
    codes.map((code) => ({ attribute: 'productCodes', imageId: image.imageId, productCodes: [code] })),
  ).toContainEqual(written)
})
