import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeAvailabilityZonesCommand,
  DescribeInstanceTypesCommand,
  DescribeTagsCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newImage } from '../../../test/machines.ts'
import { newAccount } from '../../../test/products.ts'
import { openWires, type Wires } from '../../../test/wires.ts'

let wires: Wires
beforeAll(async () => {
  wires = await openWires()
})
afterAll(() => wires.close())

describe('tags', () => {
  test('are made, found and deleted', async () => {
    const owner = await newAccount(wires.database)
    const { imageId } = await newImage(wires.database, owner)
    const client = await wires.ec2Of(owner)
    const Tags = [
      { Key: 'a', Value: '<1>' },
      { Key: 'b', Value: '' },
    ]
    await client.send(new CreateTagsCommand({ Resources: [imageId], Tags }))
    const found = async () => (await client.send(new DescribeTagsCommand())).Tags
    expect(await found()).toEqual(Tags.map((tag) => ({ ...tag, ResourceId: imageId, ResourceType: 'image' })))
    await client.send(
      new DeleteTagsCommand({ Resources: [imageId], Tags: [{ Key: 'a', Value: 'other' }, { Key: 'b' }] }),
    )
    expect((await found())?.map((tag) => tag.Key)).toEqual(['a'])
  })
})

describe('the cloud', () => {
  test('shows its zones and instance types, by filters and in pages', async () => {
    const client = await wires.ec2Of(await newAccount(wires.database))
    const { AvailabilityZones } = await client.send(new DescribeAvailabilityZonesCommand())
    expect(AvailabilityZones?.map((zone) => zone.ZoneName)).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c'])
    const types = async (input: object) =>
      (await client.send(new DescribeInstanceTypesCommand(input))).InstanceTypes?.map((type) => type.InstanceType)
    expect(await types({ InstanceTypes: ['m1.small'] })).toEqual(['m1.small'])
    expect(await types({ Filters: [{ Name: 'instance-type', Values: ['m1.*'] }] })).toEqual([
      'm1.small',
      'm1.large',
      'm1.xlarge',
    ])
    const all = await types({})
    const paged: (string | undefined)[] = []
    let NextToken: string | undefined
    do {
      const page = await client.send(new DescribeInstanceTypesCommand({ MaxResults: 3, NextToken }))
      paged.push(...(page.InstanceTypes ?? []).map((type) => type.InstanceType))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    expect(paged).toEqual(all)
    const unknown = client.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['z9.huge' as 'm1.small'] }))
    await expect(unknown).rejects.toMatchObject({ name: 'InvalidInstanceType' })
  })
})
