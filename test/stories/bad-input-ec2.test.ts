/** Bad input at the EC2 endpoint: a clear refusal with the right code and status, and nothing changed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestTables } from '../books-summary.ts'
import { openEstate, type Estate } from '../estate.ts'
import type { Person } from '../house.ts'
import { askVersion2 } from '../wires.ts'

let estate: Estate
let house: Estate['house']
let seller: Estate['seller']
let buyer: Estate['buyer']
let stranger: Estate['stranger']
let product: Estate['product']
let other: Estate['other']
let imageId: Estate['imageId']
let instanceId: Estate['instanceId']

beforeAll(async () => {
  estate = await openEstate()
  ;({ house, seller, buyer, stranger, product, other, imageId, instanceId } = estate)
}, 60_000)
afterAll(() => house.close())

const unchanged = async (): Promise<void> => expect(await digestTables(house.pool)).toEqual(estate.before)

describe('the EC2 endpoint refuses', () => {
  const codeOf = (text: string) => /<Code>([^<]+)<\/Code>/.exec(text)?.[1]
  const refused: readonly (readonly [
    name: string,
    who: () => Person,
    parameters: () => Record<string, string>,
    status: number,
    code: string,
  ])[] = [
    ['no action', () => buyer, () => ({}), 400, 'MissingAction'],
    ['an unknown action', () => buyer, () => ({ Action: 'LaunchRockets' }), 400, 'InvalidAction'],
    ['an action of EC2 it does not serve', () => buyer, () => ({ Action: 'CreateVpc' }), 400, 'UnsupportedOperation'],
    [
      'an unknown version',
      () => buyer,
      () => ({ Action: 'DescribeImages', Version: '1999-01-01' }),
      400,
      'NoSuchVersion',
    ],
    [
      'an unknown parameter',
      () => seller,
      () => ({ Action: 'DeregisterImage', ImageId: imageId, Force: '1' }),
      400,
      'UnknownParameter',
    ],
    ['a missing parameter', () => seller, () => ({ Action: 'DeregisterImage' }), 400, 'MissingParameter'],
    [
      'a count that is none',
      () => buyer,
      () => ({ Action: 'RunInstances', ImageId: imageId, MinCount: 'many', MaxCount: '2' }),
      400,
      'InvalidParameterValue',
    ],
    [
      'more at least than at most',
      () => buyer,
      () => ({ Action: 'RunInstances', ImageId: imageId, MinCount: '3', MaxCount: '2' }),
      400,
      'InvalidParameterValue',
    ],
    [
      'a launch by someone who has not bought',
      () => stranger,
      () => ({ Action: 'RunInstances', ImageId: imageId, MinCount: '1', MaxCount: '1' }),
      401,
      'OptInRequired',
    ],
    [
      'a type outside the product',
      () => buyer,
      () => ({ Action: 'RunInstances', ImageId: imageId, InstanceType: 'c1.medium', MinCount: '1', MaxCount: '1' }),
      400,
      'Unsupported',
    ],
    [
      'a second product code',
      () => seller,
      () => ({ Action: 'ModifyImageAttribute', ImageId: imageId, 'ProductCode.1': other.productCode }),
      400,
      'OperationNotPermitted',
    ],
    [
      'the removal of a product code',
      () => seller,
      () => ({
        Action: 'ModifyImageAttribute',
        Attribute: 'productCodes',
        OperationType: 'remove',
        ImageId: imageId,
        'ProductCode.1': product.productCode,
      }),
      400,
      'InvalidParameterValue',
    ],
    [
      "a product code on someone else's image",
      () => buyer,
      () => ({ Action: 'ModifyImageAttribute', ImageId: imageId, 'ProductCode.1': product.productCode }),
      401,
      'AuthFailure',
    ],
    [
      "sharing someone else's image",
      () => buyer,
      () => ({ Action: 'ModifyImageAttribute', ImageId: imageId, 'LaunchPermission.Add.1.UserId': stranger.accountId }),
      401,
      'AuthFailure',
    ],
    [
      "deregistering someone else's image",
      () => buyer,
      () => ({ Action: 'DeregisterImage', ImageId: imageId }),
      401,
      'AuthFailure',
    ],
    [
      "terminating someone else's instance",
      () => stranger,
      () => ({ Action: 'TerminateInstances', 'InstanceId.1': instanceId }),
      400,
      'InvalidInstanceID.NotFound',
    ],
    [
      'starting what runs together with what is not there',
      () => buyer,
      () => ({ Action: 'StopInstances', 'InstanceId.1': instanceId, 'InstanceId.2': 'i-00000000000000000' }),
      400,
      'InvalidInstanceID.NotFound',
    ],
    [
      "confirming with someone else's product",
      () => buyer,
      () => ({ Action: 'ConfirmProductInstance', InstanceId: instanceId, ProductCode: product.productCode }),
      401,
      'AuthFailure',
    ],
    [
      "tagging someone else's image",
      () => stranger,
      () => ({ Action: 'CreateTags', 'ResourceId.1': instanceId, 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' }),
      400,
      'InvalidInstanceID.NotFound',
    ],
    [
      'a dry run that would do something',
      () => buyer,
      () => ({ Action: 'TerminateInstances', 'InstanceId.1': instanceId, DryRun: 'true' }),
      412,
      'DryRunOperation',
    ],
  ]

  test.each(refused)('%s', async (_name, who, parameters, status, code) => {
    const answer = await askVersion2(house.town.url, who(), { Version: '2016-11-15', ...parameters() })
    expect([answer.status, codeOf(answer.text)]).toEqual([status, code])
    await unchanged()
  })

  test.each([
    ['a wrong secret', () => ({ ...seller, secretAccessKey: 'x'.repeat(40) }), 403, 'SignatureDoesNotMatch'],
    ['an unknown key', () => ({ ...seller, accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }), 403, 'InvalidClientTokenId'],
  ] as const)('%s', async (_name, key, status, code) => {
    const parameters = { Version: '2016-11-15', Action: 'DeregisterImage', ImageId: imageId }
    const answer = await askVersion2(house.town.url, key(), parameters)
    expect([answer.status, codeOf(answer.text)]).toEqual([status, code])
    await unchanged()
  })

  const form = 'application/x-www-form-urlencoded'
  test.each([
    ['no signature', form, `Action=DeregisterImage&Version=2016-11-15`, 403, 'MissingAuthenticationToken'],
    ['a broken escape', form, 'Action=%', 400, 'MalformedQueryString'],
    ['a body over a mebibyte', form, `Action=RunInstances&UserData=${'A'.repeat(1_100_000)}`, 413, 'RequestTooLarge'],
    ['JSON', 'application/json', '{"Action":"RunInstances"}', 415, 'UnsupportedMediaType'],
  ] as const)('%s', async (_name, type, body, status, code) => {
    const answer = await fetch(`${house.town.url}/`, { method: 'POST', headers: { 'content-type': type }, body })
    expect([answer.status, codeOf(await answer.text())]).toEqual([status, code])
    await unchanged()
  })
})
