/** The EC2 part of the story, completed by the AWS SDK for JavaScript as it comes from its package. */
import {
  ConfirmProductInstanceCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  EC2ServiceException,
  ModifyImageAttributeCommand,
  RebootInstancesCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  paginateDescribeImages,
  paginateDescribeInstances,
  waitUntilInstanceRunning,
  waitUntilInstanceStopped,
  waitUntilInstanceTerminated,
  type EC2Client,
} from '@aws-sdk/client-ec2'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from '../house.ts'

let house: TestHouse
let seller: Person
let buyer: Person
let product: SellableProduct
let sellerEc2: EC2Client
let buyerEc2: EC2Client
let imageId = ''
let instanceId = ''

beforeAll(async () => {
  house = await openTestHouse()
  seller = await house.newPerson()
  buyer = await house.newPerson()
  product = await house.town.sell(seller)
  sellerEc2 = house.town.ec2(seller)
  buyerEc2 = house.town.ec2(buyer)
})
afterAll(() => house.close())

const waiting = (client: EC2Client) => ({ client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 })

/** What a call is refused with, as the SDK tells it. */
async function refusal(call: Promise<unknown>): Promise<{ code: string; status: number | undefined; message: string }> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof EC2ServiceException)) throw error
    return { code: error.name, status: error.$metadata.httpStatusCode, message: error.message }
  }
  throw new Error('it was not refused')
}

/** One launch of one instance. */
const launch = (image: string, changes: object = {}) =>
  new RunInstancesCommand({ ImageId: image, InstanceType: 'm1.small', MinCount: 1, MaxCount: 1, ...changes })

async function register(client: EC2Client, name: string): Promise<string> {
  const command = new RegisterImageCommand({
    Name: name,
    ImageLocation: `${name}/manifest.xml`,
    Architecture: 'x86_64',
  })
  return (await client.send(command)).ImageId ?? ''
}

async function stateOf(id: string): Promise<string | undefined> {
  const { Reservations = [] } = await buyerEc2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
  return Reservations[0]?.Instances?.[0]?.State?.Name
}

// One story: each test goes on where the one before it ended.
describe.sequential('from a paid image to its instances', () => {
  test('both know who they are', async () => {
    for (const who of [seller, buyer]) {
      const { Account } = await house.town.sts(who).send(new GetCallerIdentityCommand())
      expect(Account).toBe(who.accountId)
    }
  })

  test('the seller registers an image, gives it the product code once, and shares it', async () => {
    imageId = await register(sellerEc2, 'paid')
    await sellerEc2.send(new ModifyImageAttributeCommand({ ImageId: imageId, ProductCodes: [product.productCode] }))
    expect(await refusal(buyerEc2.send(launch(imageId)))).toMatchObject({ code: 'AuthFailure', status: 401 })
    await sellerEc2.send(
      new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission: { Add: [{ UserId: buyer.accountId }] } }),
    )
    const { Images = [] } = await buyerEc2.send(new DescribeImagesCommand({ ImageIds: [imageId] }))
    expect(Images[0]?.ProductCodes).toEqual([{ ProductCodeId: product.productCode, ProductCodeType: 'devpay' }])
  })

  test('a launch is refused before the purchase, and says where to buy', async () => {
    const refused = await refusal(buyerEc2.send(launch(imageId)))
    expect(refused).toMatchObject({ code: 'OptInRequired', status: 401 })
    expect(refused.message).toContain(product.purchaseUrl)
  })

  test('the buyer orders', async () => {
    const confirmation = await house.subscribe(buyer, product)
    expect(confirmation.text).toContain('Thank you, your order is placed')
  })

  test('the launch is accepted, once per client token, and runs with its product code', async () => {
    const command = { ClientToken: 'first-launch' }
    const first = await buyerEc2.send(launch(imageId, command))
    const again = await buyerEc2.send(launch(imageId, command))
    instanceId = first.Instances?.[0]?.InstanceId ?? ''
    expect(instanceId).toMatch(/^i-[0-9a-f]{17}$/)
    expect([again.ReservationId, again.Instances?.[0]?.InstanceId]).toEqual([first.ReservationId, instanceId])
    expect(await refusal(buyerEc2.send(launch(imageId, { ...command, InstanceType: 'm1.large' })))).toMatchObject({
      code: 'IdempotentParameterMismatch',
      status: 400,
    })
    await waitUntilInstanceRunning(waiting(buyerEc2), { InstanceIds: [instanceId] })
    const { Reservations = [] } = await buyerEc2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: 'product-code', Values: [product.productCode] }] }),
    )
    expect(Reservations.flatMap((one) => one.Instances ?? [])).toMatchObject([
      { InstanceId: instanceId, ProductCodes: [{ ProductCodeId: product.productCode, ProductCodeType: 'devpay' }] },
    ])
  })

  test('the seller confirms the instance, and nobody else may', async () => {
    const asked = () => new ConfirmProductInstanceCommand({ InstanceId: instanceId, ProductCode: product.productCode })
    expect(await sellerEc2.send(asked())).toMatchObject({ Return: true, OwnerId: buyer.accountId })
    expect(await refusal(buyerEc2.send(asked()))).toMatchObject({ code: 'AuthFailure', status: 401 })
  })

  test('it is stopped, started, rebooted and terminated', async () => {
    const one = { InstanceIds: [instanceId] }
    await buyerEc2.send(new StopInstancesCommand(one))
    await waitUntilInstanceStopped(waiting(buyerEc2), one)
    const confirm = new ConfirmProductInstanceCommand({ InstanceId: instanceId, ProductCode: product.productCode })
    expect((await refusal(sellerEc2.send(confirm))).code).toBe('IncorrectInstanceState')
    await buyerEc2.send(new StartInstancesCommand(one))
    await waitUntilInstanceRunning(waiting(buyerEc2), one)
    await buyerEc2.send(new RebootInstancesCommand(one))
    expect(await stateOf(instanceId)).toBe('running')
    await buyerEc2.send(new TerminateInstancesCommand(one))
    await waitUntilInstanceTerminated(waiting(buyerEc2), one)
    expect((await refusal(buyerEc2.send(new StartInstancesCommand(one)))).code).toBe('IncorrectInstanceState')
  })

  test('the buyer puts the code on an own image, which then is a supported one', async () => {
    const own = await register(buyerEc2, 'supported')
    await buyerEc2.send(new ModifyImageAttributeCommand({ ImageId: own, ProductCodes: [product.productCode] }))
    const { Instances = [] } = await buyerEc2.send(launch(own))
    expect(Instances[0]?.ProductCodes?.[0]?.ProductCodeId).toBe(product.productCode)
    await waitUntilInstanceRunning(waiting(buyerEc2), { InstanceIds: [Instances[0]?.InstanceId ?? ''] })
    const stranger = house.town.ec2(await house.newPerson())
    const strangers = await register(stranger, 'not subscribed')
    const attached = stranger.send(
      new ModifyImageAttributeCommand({ ImageId: strangers, ProductCodes: [product.productCode] }),
    )
    expect(await refusal(attached)).toMatchObject({ code: 'OptInRequired', status: 401 })
  })

  test('pages go on to the end', async () => {
    for (let count = 0; count < 4; count += 1) await buyerEc2.send(launch(imageId))
    const seen: (string | undefined)[] = []
    for await (const page of paginateDescribeInstances({ client: buyerEc2, pageSize: 5 }, {})) {
      seen.push(...(page.Reservations ?? []).flatMap((one) => one.Instances ?? []).map((one) => one.InstanceId))
    }
    expect(seen).toHaveLength(6)
    expect(new Set(seen).size).toBe(6)
    for (let count = 0; count < 6; count += 1) await register(sellerEc2, `page-${count}`)
    let pages = 0
    for await (const page of paginateDescribeImages({ client: sellerEc2, pageSize: 3 }, { Owners: ['self'] })) {
      pages += 1
      expect(page.Images?.length).toBeLessThanOrEqual(3)
    }
    expect(pages).toBe(3)
  })

  test.each([
    ['InvalidAMIID.NotFound', () => launch('ami-00000000000000000')],
    ['InvalidAMIID.Malformed', () => launch('nonsense')],
    ['Unsupported', () => launch(imageId, { InstanceType: 'c1.medium' })],
    ['DryRunOperation', () => launch(imageId, { DryRun: true })],
  ])('%s is what the SDK says', async (code, command) => {
    expect((await refusal(buyerEc2.send(command()))).code).toBe(code)
  })

  test('the books are proven', async () => {
    expect((await house.proveBooks()).ok).toBe(true)
  })
})
