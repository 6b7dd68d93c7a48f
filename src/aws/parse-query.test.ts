import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AwsError, writeEc2Error } from './aws-error.ts'
import { ec2Actions, ec2Operation } from './ec2-model.ts'
import { parseQuery } from './parse-query.ts'
import { readForm } from './read-parameters.ts'

const parse = (form: string) => {
  const parameters = readForm(Buffer.from(form))
  const action = new Map(parameters).get('Action') ?? ''
  const operation = ec2Operation(action)
  if (operation === undefined) throw new Error(`no action ${action}`)
  return parseQuery(operation.input, parameters)
}
/** What work gives, or the refusal it ends in; anything else thrown is a crash. */
const attempt = (work: () => object): object => {
  try {
    return work()
  } catch (error) {
    if (error instanceof AwsError) return error
    throw error
  }
}
const refusal = (form: string) => {
  const outcome = attempt(() => parse(form))
  return outcome instanceof AwsError ? `${outcome.code}: ${outcome.message}` : 'accepted'
}

describe('what measured clients send', () => {
  test.each([
    [
      'Action=DescribeImages&Version=2016-11-15&Filter.1.Name=product-code&Filter.1.Value.1=774F4FF8&Filter.2.Name=is-public&Filter.2.Value.1=true&ImageId.1=ami-0abc&Owner.1=self',
      {
        Filters: [
          { Name: 'product-code', Values: ['774F4FF8'] },
          { Name: 'is-public', Values: ['true'] },
        ],
        ImageIds: ['ami-0abc'],
        Owners: ['self'],
      },
    ],
    ['Action=DescribeImages&Owner=self', { Owners: ['self'] }],
    [
      'Action=RegisterImage&ImageLocation=bkt/image.manifest.xml&Architecture=x86_64&BlockDeviceMapping.1.DeviceName=/dev/sda1&BlockDeviceMapping.1.Ebs.SnapshotId=snap-1&BlockDeviceMapping.1.Ebs.VolumeSize=8&Name=paid',
      {
        ImageLocation: 'bkt/image.manifest.xml',
        Architecture: 'x86_64',
        BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { SnapshotId: 'snap-1', VolumeSize: 8 } }],
        Name: 'paid',
      },
    ],
    [
      'Action=ModifyImageAttribute&ImageId=ami-0abc&LaunchPermission.Add.1.UserId=123456789012&LaunchPermission.Add.2.Group=all',
      { ImageId: 'ami-0abc', LaunchPermission: { Add: [{ UserId: '123456789012' }, { Group: 'all' }] } },
    ],
    [
      'Action=ModifyImageAttribute&Attribute=launchPermission&ImageId=ami-0abc&OperationType=add&UserGroup.1=all&UserId.2=456&UserId.1=123',
      {
        Attribute: 'launchPermission',
        ImageId: 'ami-0abc',
        OperationType: 'add',
        UserGroups: ['all'],
        UserIds: ['123', '456'],
      },
    ],
    [
      'Action=RunInstances&ImageId=ami-0abc&Placement.AvailabilityZone=us-east-1a&SecurityGroup.1=default&UserData=aGVsbG8=&ClientToken=tok-1&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b+c&MinCount=2&MaxCount=2',
      {
        ImageId: 'ami-0abc',
        Placement: { AvailabilityZone: 'us-east-1a' },
        SecurityGroups: ['default'],
        UserData: 'aGVsbG8=',
        ClientToken: 'tok-1',
        TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'a', Value: 'b c' }] }],
        MinCount: 2,
        MaxCount: 2,
      },
    ],
    ['Action=StopInstances&InstanceId.1=i-0a1&Force=True', { InstanceIds: ['i-0a1'], Force: true }],
  ])('%s', (form, input) => {
    expect(parse(form)).toEqual(input)
  })
})

describe('refusals', () => {
  test.each([
    ['Action=DescribeImages&Nonsense=1', 'UnknownParameter: The parameter Nonsense is not recognized'],
    [
      'Action=DescribeImages&Filter.1.Nonsense=1',
      'UnknownParameter: The parameter Filter.1.Nonsense is not recognized',
    ],
    ['Action=DescribeImages&ImageId.x=1', 'UnknownParameter: The parameter ImageId.x is not recognized'],
    ['Action=DescribeImages&__proto__.polluted=1', 'UnknownParameter: The parameter __proto__ is not recognized'],
    ['Action=DescribeImages&constructor=1', 'UnknownParameter: The parameter constructor is not recognized'],
    ['Action=DeregisterImage', 'MissingParameter: The request must contain the parameter ImageId'],
    ['Action=DeregisterImage&ImageId=', 'MissingParameter: The request must contain the parameter ImageId'],
    [
      'Action=RunInstances&ImageId=a&MinCount=1.5&MaxCount=2',
      'InvalidParameterValue: Value (1.5) for parameter MinCount is invalid. Expected an integer.',
    ],
    [
      'Action=StopInstances&InstanceId.1=i&Force=yes',
      'InvalidParameterValue: Value (yes) for parameter Force is invalid. Expected a boolean.',
    ],
    [
      'Action=DescribeImages&Filter.1=x',
      'InvalidParameterValue: Value (x) for parameter Filter.1 is invalid. Its parts are parameters of their own.',
    ],
    [
      'Action=DeregisterImage&ImageId=a&ImageId=b',
      'InvalidParameterCombination: The parameter ImageId is given more than once, or both as a value and as a structure.',
    ],
    [
      'Action=RunInstances&Action=DeregisterImage&ImageId=a',
      'InvalidParameterCombination: The parameter Action is given more than once, or both as a value and as a structure.',
    ],
    [
      'Action=DeregisterImage&ImageId=a&ImageId.1=b',
      'InvalidParameterCombination: The parameter ImageId.1 is given more than once, or both as a value and as a structure.',
    ],
    ['Action=DeregisterImage&ImageId.1=b', 'UnknownParameter: The parameter ImageId.1 is not recognized'],
    [
      `Action=DescribeImages&${'a.'.repeat(20)}b=1`,
      `UnknownParameter: The parameter ${'a.'.repeat(20)}b is not recognized`,
    ],
    [`Action=DescribeImages${'&a=1'.repeat(5001)}`, 'MalformedQueryString: The request has more than 5000 parameters.'],
    [
      'Action=DescribeImages&Owner=%ff',
      'MalformedQueryString: The query string contains a percent sign that encodes no character.',
    ],
  ])('%s', (form, expected) => {
    expect(refusal(form)).toBe(expected)
  })
})

test('any bytes give an input or an error in EC2’s envelope', () => {
  const knownName = fc.constantFrom(
    ...ec2Actions.flatMap((action) => (ec2Operation(action)?.input.members ?? []).map((member) => member.queryName)),
  )
  const step = fc.constantFrom('1', '0', '01', 'Name', 'Value', 'Ebs', 'Tag', 'Add', '__proto__', '')
  const name = fc.tuple(knownName, fc.array(step, { maxLength: 6 })).map(([head, steps]) => [head, ...steps].join('.'))
  const pair = fc.tuple(
    fc.oneof(name, fc.string()),
    fc.oneof(fc.string(), fc.constantFrom('true', '1', '%', '2026-01-01')),
  )
  const form = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .array(pair, { maxLength: 12 })
      .map((pairs) => Buffer.from(pairs.map(([key, value]) => `${key}=${value}`).join('&'))),
  )
  fc.assert(
    fc.property(fc.constantFrom(...ec2Actions), form, (action, bytes) => {
      const operation = ec2Operation(action)
      if (operation === undefined) throw new Error(`no action ${action}`)
      const outcome = attempt(() => parseQuery(operation.input, readForm(bytes)))
      const understood = Object.getPrototypeOf(outcome) === Object.prototype
      const refused =
        outcome instanceof AwsError &&
        /<Errors><Error><Code>\w+<\/Code><Message>.+<\/Message>/s.test(writeEc2Error(outcome, 'r'))
      expect(understood || refused).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
