import { DescribeAvailabilityZonesCommand, DescribeRegionsCommand } from '@aws-sdk/client-ec2'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newAccount } from '../../../test/products.ts'
import { askVersion2, openWires, type AccessKey, type Wires } from '../../../test/wires.ts'
import { setAccessKeyActive } from '../../accounts/set-access-key-active.ts'
import { Fault, faultStatus, type FaultCode } from '../../base/fault.ts'
import { createLog, createMetrics } from '../../base/telemetry.ts'
import { createServer } from '../../http/server.ts'
import { awsErrorOf } from '../ec2/fault-codes.ts'
import { awsEndpoint } from './dispatch.ts'

let wires: Wires
let accountId: string
let key: AccessKey
beforeAll(async () => {
  wires = await openWires()
  accountId = await newAccount(wires.database)
  key = await wires.accessKeyOf(accountId)
})
afterAll(() => wires.close())

const ask = (parameters: Record<string, string>, method: 'GET' | 'POST' = 'POST') =>
  askVersion2(wires.url, key, { Version: '2016-11-15', ...parameters }, method)
const codeOf = (text: string) => /<Code>([^<]+)<\/Code>/.exec(text)?.[1]

describe('who asks', () => {
  test('GetCallerIdentity of the SDK names the account', async () => {
    const sts = await wires.stsOf(accountId)
    const { Account, Arn, UserId, $metadata } = await sts.send(new GetCallerIdentityCommand())
    expect({ Account, Arn, UserId }).toEqual({
      Account: accountId,
      Arn: `arn:aws:iam::${accountId}:root`,
      UserId: accountId,
    })
    expect($metadata.requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('both ways of an old client, with the namespace of its version', async () => {
    for (const method of ['GET', 'POST'] as const) {
      const { status, text, headers } = await ask({ Action: 'DescribeRegions', Version: '2010-08-31' }, method)
      expect([status, headers.get('content-type')]).toEqual([200, 'text/xml;charset=UTF-8'])
      expect(text).toContain('<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2010-08-31/">')
      expect(text).toContain('<regionName>us-east-1</regionName>')
      expect(text).toContain(`<requestId>${String(headers.get('x-amzn-requestid'))}</requestId>`)
    }
  })

  test('an inactive key, another secret and no signature are refused in EC2’s envelope', async () => {
    const other = await wires.accessKeyOf(accountId)
    const off = { accountId, accessKeyId: other.accessKeyId, active: false, actor: accountId }
    await wires.database.transaction((tx) => setAccessKeyActive(tx, off))
    const refusals = [
      await askVersion2(wires.url, other, { Action: 'DescribeRegions', Version: '2016-11-15' }),
      await askVersion2(
        wires.url,
        { ...key, secretAccessKey: 'x' },
        { Action: 'DescribeRegions', Version: '2016-11-15' },
      ),
    ]
    expect(refusals.map(({ status, text }) => [status, codeOf(text)])).toEqual([
      [403, 'InvalidClientTokenId'],
      [403, 'SignatureDoesNotMatch'],
    ])
    const unsigned = await fetch(`${wires.url}/?Action=DescribeRegions&Version=2016-11-15`)
    expect([unsigned.status, codeOf(await unsigned.text())]).toEqual([403, 'MissingAuthenticationToken'])
    const sts = await fetch(`${wires.url}/?Action=GetCallerIdentity&Version=2011-06-15`)
    expect(await sts.text()).toMatch(
      /^<\?xml[^>]+>\n<ErrorResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/"><Error><Type>Sender/,
    )
  })

  test('a session token is refused with a word about where it comes from', async () => {
    const { status, text } = await ask({ Action: 'DescribeRegions', SecurityToken: 'stale' })
    expect([status, codeOf(text)]).toEqual([403, 'InvalidClientTokenId'])
    expect(text).toContain('AWS_SESSION_TOKEN')
  })
})

describe('what is asked', () => {
  test.each([
    [{}, 400, 'MissingAction'],
    [{ Action: 'Frobnicate' }, 400, 'InvalidAction'],
    [{ Action: '__proto__' }, 400, 'InvalidAction'],
    [{ Action: 'CopyImage' }, 400, 'UnsupportedOperation'],
    [{ Action: 'DescribeRegions', Version: '2099-01-01' }, 400, 'NoSuchVersion'],
    [{ Action: 'DescribeRegions', Version: '' }, 400, 'MissingParameter'],
    [{ Action: 'DescribeRegions', 'RegionName.1': 'eu-mars-1' }, 400, 'InvalidParameterValue'],
    [{ Action: 'DescribeRegions', Nonsense: '1' }, 400, 'UnknownParameter'],
    [{ Action: 'DescribeRegions', 'Filter.1.Name': 'colour', 'Filter.1.Value.1': 'red' }, 400, 'InvalidParameterValue'],
    [{ Action: 'DescribeRegions', DryRun: 'true' }, 412, 'DryRunOperation'],
    [{ Action: 'AssumeRole', Version: '2011-06-15' }, 400, 'InvalidAction'],
  ])('%j is refused with %i %s', async (parameters, status, code) => {
    const answer = await ask(parameters)
    expect([answer.status, codeOf(answer.text)]).toEqual([status, code])
    expect(answer.text.toLowerCase()).toContain(
      `<requestid>${String(answer.headers.get('x-amzn-requestid'))}</requestid>`,
    )
  })

  test('a browser at the same address is not the business of this room', async () => {
    const answer = await fetch(`${wires.url}/`, { headers: { accept: 'text/html' } })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    const log = createLog('silent')
    const server = createServer({ log, metrics: createMetrics(), trustProxy: false, ready: async () => undefined })
    await server.register(awsEndpoint({ database: wires.database }))
    server.get('/', async () => 'home')
    server.get('/purchase/:code', async () => 'purchase')
    const pages = ['/', '/?utm=Action', '/purchase/1?Action=x'].map(async (url) => (await server.inject({ url })).body)
    expect(await Promise.all(pages)).toEqual(['home', 'home', 'purchase'])
    expect((await server.inject({ url: '/?Action=DescribeRegions' })).body).toContain('MissingAuthenticationToken')
    await server.close()
  })

  test('a request is served in the region it is signed for, or in the default one', async () => {
    const endpoints = async (region: string) => {
      const client = await wires.ec2Of(await newAccount(wires.database), region)
      const { Regions = [] } = await client.send(
        new DescribeRegionsCommand({ Filters: [{ Name: 'region-name', Values: ['us-*'] }] }),
      )
      return Regions.map((found) => found.RegionName)
    }
    expect(await endpoints('eu-west-1')).toEqual(['us-east-1'])
    const zones = async (region: string) => {
      const client = await wires.ec2Of(await newAccount(wires.database), region)
      const { AvailabilityZones = [] } = await client.send(new DescribeAvailabilityZonesCommand())
      return AvailabilityZones.map((zone) => zone.RegionName)
    }
    expect(new Set(await zones('eu-west-1'))).toEqual(new Set(['eu-west-1']))
    expect(new Set(await zones('mars-1'))).toEqual(new Set(['us-east-1']))
  })
})

test('every fault has a code on this wire, and none but ours is an internal error', () => {
  for (const code of Object.keys(faultStatus) as FaultCode[]) {
    const error = awsErrorOf(new Fault(code, 'A sentence.'))
    expect(error.message).toBe('A sentence.')
    expect(error.status >= 500).toBe(['InternalError', 'Unavailable'].includes(error.code))
  }
  expect(awsErrorOf(new Error('secret'))).toMatchObject({
    code: 'InternalError',
    message: 'An internal error has occurred',
  })
})

test('whatever is signed and sent is answered by a refusal, never by a failure', async () => {
  const names = [
    'Action',
    'Version',
    'Filter.1.Name',
    'ImageId.1',
    'ImageId',
    'DryRun',
    'MaxResults',
    'NextToken',
    'Owner.1',
  ]
  const actions = [
    'DescribeImages',
    'RunInstances',
    'RegisterImage',
    'ModifyImageAttribute',
    'DescribeTags',
    'StopInstances',
  ]
  const name = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 8 }))
  const value = fc.oneof(
    fc.constantFrom('true', '1', 'self', 'ami-12345678', '2016-11-15'),
    fc.string({ unit: 'binary', maxLength: 12 }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...actions),
      fc.dictionary(name, value, { maxKeys: 6 }),
      async (action, fields) => {
        const { status, text } = await ask({ Action: action, ...fields })
        expect(text).toMatch(
          status === 200 ? /^<\?xml[^>]+>\n<\w+Response / : /^<\?xml[^>]+>\n<Response><Errors><Error><Code>/,
        )
        expect(status).toBeLessThan(500)
      },
    ),
    { numRuns: 150 },
  )
})
