/** Images, subscriptions and launches for tests, made by the real verbs. */
import type { Caller } from '../src/accounts/accounts.ts'
import { localDriver } from '../src/compute/local-driver.ts'
import { sql, type Database } from '../src/database/database.ts'
import { attachProductCode } from '../src/images/attach-product-code.ts'
import type { Image } from '../src/images/images.ts'
import { modifyLaunchPermission } from '../src/images/modify-launch-permission.ts'
import { registerImage, type RegisterImageRequest } from '../src/images/register-image.ts'
import { advanceInstance } from '../src/instances/advance-instance.ts'
import type { Reservation } from '../src/instances/instances.ts'
import { runInstances, type RunInstancesRequest } from '../src/instances/run-instances.ts'
import type { Product } from '../src/products/products.ts'
import { activateSubscription } from '../src/subscriptions/activate-subscription.ts'
import { openSubscription } from '../src/subscriptions/open-subscription.ts'

export const region = 'us-east-1'

/** The account as it stands behind a signed request. */
export function callerOf(accountId: string): Caller {
  return { accountId, operator: false, via: 'access-key' }
}

let images = 0

/** An image of the account, x86_64 and Linux unless told otherwise. */
export async function newImage(
  database: Database,
  ownerAccountId: string,
  changes: Partial<RegisterImageRequest> = {},
): Promise<Image> {
  images += 1
  return await database.transaction((tx) =>
    registerImage(tx, {
      caller: callerOf(ownerAccountId),
      region,
      name: `image-${images}`,
      imageLocation: `bucket/image-${images}.manifest.xml`,
      architecture: 'x86_64',
      ...changes,
    }),
  )
}

/** A public image of the product's seller with the product's code on it. */
export async function newPaidImage(
  database: Database,
  product: Product,
  changes: Partial<RegisterImageRequest> = {},
): Promise<Image> {
  const image = await newImage(database, product.sellerAccountId, changes)
  const request = { caller: callerOf(product.sellerAccountId), region: image.region, imageId: image.imageId }
  return await database.transaction(async (tx) => {
    await modifyLaunchPermission(tx, { ...request, add: { groups: ['all'] } })
    return (await attachProductCode(tx, { ...request, productCodes: [product.productCode] })).image
  })
}

/** An active subscription, as an order that was vetted leaves it. @returns its id */
export async function subscribe(database: Database, accountId: string, product: Product): Promise<string> {
  return await database.transaction(async (tx) => {
    const { subscription } = await openSubscription(tx, { accountId, product })
    await activateSubscription(tx, { accountId, subscriptionId: subscription.subscriptionId })
    return subscription.subscriptionId
  })
}

/** Launches one instance unless told otherwise; it stays pending until `advanceAll`. */
export async function launch(
  database: Database,
  accountId: string,
  imageId: string,
  changes: Partial<RunInstancesRequest> = {},
): Promise<Reservation> {
  return await database.transaction((tx) =>
    runInstances(tx, { caller: callerOf(accountId), region, imageId, minCount: 1, maxCount: 1, ...changes }),
  )
}

/** Runs the waiting tasks of instances with the local driver, oldest first. @returns how many changed a state */
export async function advanceAll(database: Database): Promise<number> {
  const tasks = await database.transaction((tx) =>
    tx.rows<{ payload: { accountId: string; instanceId: string; sequence: number } }>(sql`
      select job.payload from graphile_worker.complete_jobs(array(
        select id from graphile_worker.jobs where task_identifier = 'instance.advance')) as job order by job.id`),
  )
  let changed = 0
  for (const { payload } of tasks) if (await advanceInstance(database, localDriver, payload)) changed += 1
  return changed
}
