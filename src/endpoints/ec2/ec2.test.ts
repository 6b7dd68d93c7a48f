import {
  ConfirmProductInstanceCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  EC2ServiceException,
  ModifyImageAttributeCommand,
  RebootInstancesCommand,
  RegisterImageCommand,
  ResetImageAttributeCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type EC2Client,
  type RegisterImageCommandInput,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { advanceAll, newImage, newPaidImage, subscribe } from '../../../test/machines.ts'
import { newAccount, newProduct } from '../../../test/products.ts'
import { askVersion2, openWires, type Wires } from '../../../test/wires.ts'
import { ec2Operation, ec2Actions as modelled, type Shape } from '../../aws/ec2-model.ts'
import { ec2Actions } from './actions.ts'

let wires: Wires
beforeAll(async () => {
  wires = await openWires()
})
afterAll(() => wires.close())

let names = 0
/** Registers an image over the wire. @returns its id */
async function register(client: EC2Client, changes: Partial<RegisterImageCommandInput> = {}): Promise<string> {
  names += 1
  const { ImageId } = await client.send(
    new RegisterImageCommand({
      Name: `wire-${names}`,
      ImageLocation: 'bucket/image.manifest.xml',
      Architecture: 'x86_64',
      ...changes,
    }),
  )
  return ImageId ?? ''
}

/** The code and status a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<{ code: string; status: number | undefined; message: string }> {
  const error = await call.then(
    () => new Error('accepted'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof EC2ServiceException)) throw error
  return { code: error.name, status: error.$metadata.httpStatusCode, message: error.message }
}

describe('the table of actions', () => {
  test('serves exactly what the model holds', () => {
    expect(ec2Actions.map((action) => action.name)).toEqual(modelled)
  })

  test.each(ec2Actions.map((action) => [action.name, action] as const))(
    '%s names parameters that exist',
    (name, action) => {
      const exists = (shape: Shape | undefined, steps: readonly string[]): boolean => {
        if (steps.length === 0) return shape !== undefined
        if (shape?.kind === 'list') return exists(shape.of, steps)
        if (shape?.kind !== 'structure') return false
        return exists(shape.members.find((member) => member.queryName === steps[0])?.shape, steps.slice(1))
      }
      const declared = [...action.honoured, ...Object.keys(action.ignored)]
      expect(declared.filter((parameter) => !exists(ec2Operation(name)?.input, parameter.split('.')))).toEqual([])
      expect(new Set(declared).size).toBe(declared.length)
    },
  )
})

describe('images', () => {
  test('are registered, described, found by filters and deregistered', async () => {
    const owner = await newAccount(wires.database)
    const client = await wires.ec2Of(owner)
    const ImageId = await register(client, {
      Name: 'A <name> "that" & escapes'.replace(/[<>"&]/g, '_'),
      Description: 'Line one\nwith <b>&"quotes" and é 😀',
      BlockDeviceMappings: [
        { DeviceName: '/dev/sda1', Ebs: { SnapshotId: 'snap-1', VolumeSize: 8, DeleteOnTermination: true } },
      ],
      RootDeviceName: '/dev/sda1',
      VirtualizationType: 'hvm',
      TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'stage', Value: 'a+b c' }] }],
    })
    const { Images: [image] = [] } = await client.send(new DescribeImagesCommand({ ImageIds: [ImageId] }))
    expect(image).toMatchObject({
      ImageId,
      OwnerId: owner,
      State: 'available',
      Public: false,
      Architecture: 'x86_64',
      ImageType: 'machine',
      Description: 'Line one\nwith <b>&"quotes" and é 😀',
      CreationDate: '2026-06-01T00:00:00.000Z',
      ProductCodes: [],
      Tags: [{ Key: 'stage', Value: 'a+b c' }],
      BlockDeviceMappings: [
        { DeviceName: '/dev/sda1', Ebs: { SnapshotId: 'snap-1', VolumeSize: 8, DeleteOnTermination: true } },
      ],
    })
    const found = async (filters: { Name: string; Values: string[] }[]) =>
      (await client.send(new DescribeImagesCommand({ Owners: ['self'], Filters: filters }))).Images?.length
    expect(await found([{ Name: 'tag:stage', Values: ['a+*'] }])).toBe(1)
    expect(await found([{ Name: 'name', Values: ['A ?name? *'] }])).toBe(1)
    expect(await found([{ Name: 'tag:stage', Values: ['other'] }])).toBe(0)
    await client.send(new DeregisterImageCommand({ ImageId }))
    expect(await refusal(client.send(new DescribeImagesCommand({ ImageIds: [ImageId] })))).toMatchObject({
      code: 'InvalidAMIID.NotFound',
      status: 400,
    })
  })

  test('come in pages', async () => {
    const client = await wires.ec2Of(await newAccount(wires.database))
    for (let count = 0; count < 3; count += 1) await register(client)
    const first = await client.send(new DescribeImagesCommand({ Owners: ['self'], MaxResults: 2 }))
    const second = await client.send(
      new DescribeImagesCommand({ Owners: ['self'], MaxResults: 2, NextToken: first.NextToken }),
    )
    expect([first.Images?.length, second.Images?.length, second.NextToken]).toEqual([2, 1, undefined])
    const forged = client.send(new DescribeImagesCommand({ MaxResults: 2, NextToken: 'forged' }))
    expect((await refusal(forged)).code).toBe('InvalidParameterValue')
  })

  test('run under Windows when their billing product says so', async () => {
    const client = await wires.ec2Of(await newAccount(wires.database))
    const ImageId = await register(client, { BillingProducts: ['bp-6ba54002'] })
    const { Images: [image] = [] } = await client.send(new DescribeImagesCommand({ ImageIds: [ImageId] }))
    expect([image?.Platform, image?.PlatformDetails]).toEqual(['windows', 'Windows'])
  })

  test('are shared in both spellings clients use, and taken back', async () => {
    const owner = await newAccount(wires.database)
    const [friend, other] = [await newAccount(wires.database), await newAccount(wires.database)]
    const client = await wires.ec2Of(owner)
    const ImageId = await register(client)
    const permissions = async () => {
      const asked = new DescribeImageAttributeCommand({ ImageId, Attribute: 'launchPermission' })
      return (await client.send(asked)).LaunchPermissions?.map((item) => item.UserId ?? item.Group).toSorted()
    }
    await client.send(
      new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: [{ UserId: friend }, { Group: 'all' }] } }),
    )
    expect(await permissions()).toEqual([friend, 'all'])
    const byName = { ImageId, Attribute: 'launchPermission' }
    await client.send(new ModifyImageAttributeCommand({ ...byName, OperationType: 'add', UserIds: [other] }))
    await client.send(new ModifyImageAttributeCommand({ ...byName, OperationType: 'remove', UserGroups: ['all'] }))
    expect(await permissions()).toEqual([friend, other].toSorted())
    await client.send(new ResetImageAttributeCommand(byName as { ImageId: string; Attribute: 'launchPermission' }))
    expect(await permissions()).toEqual([])
    const none = client.send(new ModifyImageAttributeCommand({ ImageId }))
    expect((await refusal(none)).code).toBe('InvalidParameterCombination')
    const two = client.send(
      new ModifyImageAttributeCommand({ ImageId, ProductCodes: ['774F4FF8'], Description: { Value: 'x' } }),
    )
    expect((await refusal(two)).code).toBe('InvalidParameterCombination')
  })

  test('carry a product code once and for ever', async () => {
    const { product, sellerAccountId } = await newProduct(wires.database)
    const other = await newProduct(wires.database)
    const seller = await wires.ec2Of(sellerAccountId)
    const ImageId = await register(seller)
    const attach = (code: string) => seller.send(new ModifyImageAttributeCommand({ ImageId, ProductCodes: [code] }))
    expect(await refusal(attach('00000000'))).toMatchObject({ code: 'InvalidProductInfo', status: 400 })
    await attach(product.productCode)
    await attach(product.productCode)
    expect((await refusal(attach(other.product.productCode))).code).toBe('OperationNotPermitted')
    const asked = new DescribeImageAttributeCommand({ ImageId, Attribute: 'productCodes' })
    expect((await seller.send(asked)).ProductCodes).toEqual([
      { ProductCodeId: product.productCode, ProductCodeType: 'devpay' },
    ])
    const remove = {
      ImageId,
      Attribute: 'productCodes',
      OperationType: 'remove' as const,
      ProductCodes: [product.productCode],
    }
    expect((await refusal(seller.send(new ModifyImageAttributeCommand(remove)))).code).toBe('InvalidParameterValue')
    const stranger = await wires.ec2Of(await newAccount(wires.database))
    expect(await refusal(stranger.send(asked))).toMatchObject({ code: 'AuthFailure', status: 401 })
  })
})

describe('a paid image', () => {
  test('is refused without a subscription with the purchase URL, and launches with one', async () => {
    const { product, purchaseUrl } = await newProduct(wires.database)
    const { imageId } = await newPaidImage(wires.database, product)
    const buyer = await newAccount(wires.database)
    const client = await wires.ec2Of(buyer)
    const launch = () => client.send(new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1 }))
    const refused = await refusal(launch())
    expect(refused).toMatchObject({ code: 'OptInRequired', status: 401 })
    expect(refused.message).toContain(purchaseUrl)
    await subscribe(wires.database, buyer, product)
    const { Instances: [instance] = [] } = await launch()
    expect(instance?.ProductCodes).toEqual([{ ProductCodeId: product.productCode, ProductCodeType: 'devpay' }])
    const outside = client.send(
      new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.micro' }),
    )
    expect(await refusal(outside)).toMatchObject({ code: 'Unsupported', status: 400 })
  })

  test('is confirmed to its seller alone; old versions answer false where newer ones refuse', async () => {
    const { product, sellerAccountId } = await newProduct(wires.database)
    const { imageId } = await newPaidImage(wires.database, product)
    const buyer = await newAccount(wires.database)
    await subscribe(wires.database, buyer, product)
    const client = await wires.ec2Of(buyer)
    const { Instances: [instance] = [] } = await client.send(
      new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1 }),
    )
    const asked = { InstanceId: instance?.InstanceId ?? '', ProductCode: product.productCode }
    const seller = await wires.ec2Of(sellerAccountId)
    expect((await refusal(seller.send(new ConfirmProductInstanceCommand(asked)))).code).toBe('IncorrectInstanceState')
    const key = await wires.accessKeyOf(sellerAccountId)
    const old = await askVersion2(wires.url, key, { Action: 'ConfirmProductInstance', Version: '2009-11-30', ...asked })
    expect(old.text).toContain('<return>false</return>')
    await advanceAll(wires.database)
    expect(await seller.send(new ConfirmProductInstanceCommand(asked))).toMatchObject({ Return: true, OwnerId: buyer })
    expect((await refusal(client.send(new ConfirmProductInstanceCommand(asked)))).code).toBe('AuthFailure')
  })
})

describe('instances', () => {
  test('live their life', async () => {
    const owner = await newAccount(wires.database)
    const image = await newImage(wires.database, owner)
    const client = await wires.ec2Of(owner)
    const launched = await client.send(
      new RunInstancesCommand({
        ImageId: image.imageId,
        MinCount: 1,
        MaxCount: 2,
        InstanceType: 'm1.large',
        KeyName: 'my-key',
        UserData: Buffer.from('hello').toString('base64'),
        Placement: { AvailabilityZone: 'us-east-1b' },
        SecurityGroups: ['web'],
        TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'role', Value: 'web' }] }],
      }),
    )
    const InstanceIds = (launched.Instances ?? []).map((instance) => instance.InstanceId ?? '')
    expect(launched).toMatchObject({
      OwnerId: owner,
      ReservationId: expect.stringMatching(/^r-[0-9a-f]{17}$/),
      Instances: [0, 1].map((AmiLaunchIndex) => ({
        AmiLaunchIndex,
        ImageId: image.imageId,
        InstanceType: 'm1.large',
        State: { Code: 0, Name: 'pending' },
        Placement: { AvailabilityZone: 'us-east-1b' },
        LaunchTime: new Date('2026-06-01T00:00:00Z'),
        KeyName: 'my-key',
        Tags: [{ Key: 'role', Value: 'web' }],
      })),
    })
    await advanceAll(wires.database)
    const states = async () => {
      const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ InstanceIds }))
      return Reservations.flatMap((reservation) =>
        (reservation.Instances ?? []).map((instance) => instance.State?.Name),
      )
    }
    expect(await states()).toEqual(['running', 'running'])

    await client.send(new RebootInstancesCommand({ InstanceIds }))
    const stopped = await client.send(new StopInstancesCommand({ InstanceIds: InstanceIds.slice(0, 1), Force: true }))
    expect(stopped.StoppingInstances).toEqual([
      {
        InstanceId: InstanceIds[0],
        CurrentState: { Code: 64, Name: 'stopping' },
        PreviousState: { Code: 16, Name: 'running' },
      },
    ])
    expect((await refusal(client.send(new StartInstancesCommand({ InstanceIds })))).code).toBe('IncorrectInstanceState')
    await advanceAll(wires.database)
    const status = async (input: object) =>
      (await client.send(new DescribeInstanceStatusCommand(input))).InstanceStatuses?.map((found) => [
        found.InstanceState?.Name,
        found.SystemStatus?.Status,
      ])
    expect(await status({ InstanceIds })).toEqual([['running', 'ok']])
    expect((await status({ InstanceIds, IncludeAllInstances: true }))?.toSorted()).toEqual([
      ['running', 'ok'],
      ['stopped', 'not-applicable'],
    ])
    const notApplicable = [{ Name: 'instance-status.status', Values: ['not-*'] }]
    expect(await status({ Filters: notApplicable })).toEqual([])
    expect(await status({ Filters: notApplicable, IncludeAllInstances: true })).toEqual([['stopped', 'not-applicable']])

    await client.send(new StartInstancesCommand({ InstanceIds: InstanceIds.slice(0, 1) }))
    await advanceAll(wires.database)
    const running = [{ Name: 'instance-state-name', Values: ['running'] }]
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({ Filters: running }))
    expect(Reservations.flatMap((reservation) => reservation.Instances ?? [])).toHaveLength(2)
    const ended = await client.send(new TerminateInstancesCommand({ InstanceIds }))
    expect(ended.TerminatingInstances?.map((change) => change.CurrentState?.Name)).toEqual([
      'shutting-down',
      'shutting-down',
    ])
    await advanceAll(wires.database)
    expect(await states()).toEqual(['terminated', 'terminated'])
  })

  test('the same client token launches once, another request with it is refused', async () => {
    const owner = await newAccount(wires.database)
    const { imageId } = await newImage(wires.database, owner)
    const client = await wires.ec2Of(owner)
    const run = (MaxCount: number) =>
      client.send(new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount, ClientToken: 'token-1' }))
    const [first, second] = await Promise.all([run(1), run(1)])
    expect(second.Instances?.map((found) => found.InstanceId)).toEqual(
      first.Instances?.map((found) => found.InstanceId),
    )
    expect(await refusal(run(2))).toMatchObject({ code: 'IdempotentParameterMismatch', status: 400 })
    const { Reservations } = await client.send(new DescribeInstancesCommand())
    expect(Reservations).toHaveLength(1)
  })

  test('a dry run says what would happen and does nothing', async () => {
    const owner = await newAccount(wires.database)
    const { imageId } = await newImage(wires.database, owner)
    const client = await wires.ec2Of(owner)
    const run = (ImageId: string) =>
      client.send(new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, DryRun: true }))
    expect(await refusal(run(imageId))).toMatchObject({ code: 'DryRunOperation', status: 412 })
    expect((await refusal(run('ami-00000000'))).code).toBe('InvalidAMIID.NotFound')
    const { rows } = await wires.pool.query('select from instance where account_id = $1', [owner])
    expect(rows).toEqual([])
  })

  test('what would not be honoured is refused by name, and nothing is launched', async () => {
    const owner = await newAccount(wires.database)
    const { imageId } = await newImage(wires.database, owner)
    const client = await wires.ec2Of(owner)
    const launch = { ImageId: imageId, MinCount: 1, MaxCount: 1 }
    for (const [input, parameter] of [
      [{ DisableApiTermination: true }, 'DisableApiTermination'],
      [{ InstanceMarketOptions: { MarketType: 'spot' as const } }, 'InstanceMarketOptions.MarketType'],
      [{ SubnetId: 'subnet-1' }, 'SubnetId'],
      [{ Placement: { Tenancy: 'dedicated' as const } }, 'tenancy'],
    ] as const) {
      const refused = await refusal(client.send(new RunInstancesCommand({ ...launch, ...input })))
      expect(refused).toMatchObject({ code: 'UnsupportedOperation', message: expect.stringContaining(parameter) })
    }
    const { Reservations } = await client.send(new DescribeInstancesCommand())
    expect(Reservations).toEqual([])
  })

  test('a launch that fails at its last row leaves nothing behind', async () => {
    const owner = await newAccount(wires.database)
    const { imageId } = await newImage(wires.database, owner)
    const client = await wires.ec2Of(owner)
    await wires.pool.query('alter table instance_transition add constraint refused check (sequence > 1) not valid')
    const run = client.send(
      new RunInstancesCommand({ ImageId: imageId, MinCount: 1, MaxCount: 1, ClientToken: 'lost' }),
    )
    expect(await refusal(run)).toMatchObject({ code: 'InternalError', status: 500 })
    await wires.pool.query('alter table instance_transition drop constraint refused')
    const { rows } = await wires.pool.query(
      'select from reservation where account_id = $1 union all select from instance where account_id = $1',
      [owner],
    )
    expect(rows).toEqual([])
  })
})
