/** A house in which there is something to protect: a product sold, an image shared, a subscription, a bill, a running instance. */
import { ModifyImageAttributeCommand, RegisterImageCommand, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { digestTables } from './books-summary.ts'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from './house.ts'

export interface Estate {
  readonly house: TestHouse
  readonly seller: Person
  /** Subscribed, with an instance that runs. */
  readonly buyer: Person
  readonly stranger: Person
  readonly product: SellableProduct
  /** Another of the seller's products, which nobody bought. */
  readonly other: SellableProduct
  /** Public, with the product's code. */
  readonly imageId: string
  readonly instanceId: string
  readonly subscriptionId: string
  readonly invoiceId: string
  /** What every table held once all this was there. */
  readonly before: Readonly<Record<string, string>>
}

export async function openEstate(): Promise<Estate> {
  const house = await openTestHouse()
  const { town } = house
  const [seller, buyer, stranger] = [await house.newPerson(), await house.newPerson(), await house.newPerson()]
  const product = await town.sell(seller)
  const other = await town.sell(seller, { name: 'Another' })
  const ec2 = town.ec2(seller)
  const image = new RegisterImageCommand({ Name: 'refused', ImageLocation: 'a/manifest.xml', Architecture: 'x86_64' })
  const imageId = (await ec2.send(image)).ImageId ?? ''
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [product.productCode] }))
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: [{ Group: 'all' }] } }))
  await house.subscribe(buyer, product)
  const launch = new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1, InstanceType: 'm1.small' })
  const instanceId = (await town.ec2(buyer).send(launch)).Instances?.[0]?.InstanceId ?? ''
  await house.settle()
  const { subscriptions } = await town.asked(buyer, 'GET', '/subscriptions')
  const subscriptionId = (subscriptions as { subscriptionId: string }[])[0]?.subscriptionId ?? ''
  const { invoices } = await town.asked(buyer, 'GET', '/invoices')
  const invoiceId = (invoices as { invoiceId: string }[])[0]?.invoiceId ?? ''
  const before = await digestTables(house.pool)
  return { house, seller, buyer, stranger, product, other, imageId, instanceId, subscriptionId, invoiceId, before }
}
