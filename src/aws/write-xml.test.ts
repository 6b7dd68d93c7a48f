import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AwsError, writeEc2Error, writeQueryError } from './aws-error.ts'
import { ec2Operation, type StructureShape } from './ec2-model.ts'
import { escapeXml, writeStructure } from './write-xml.ts'

const output = (action: string): StructureShape => {
  const shape = ec2Operation(action)?.output
  if (shape === undefined) throw new Error(`${action} has no output`)
  return shape
}

test('structures, lists, instants and empty sets have the forms every client reads', () => {
  const xml = writeStructure(output('DescribeInstances'), {
    Reservations: [
      {
        ReservationId: 'r-01',
        Groups: [],
        Instances: [
          {
            InstanceId: 'i-0a1',
            State: { Code: 16, Name: 'running' },
            PublicDnsName: '',
            EbsOptimized: false,
            ProductCodes: [{ ProductCodeId: '774F4FF8', ProductCodeType: 'devpay' }],
            LaunchTime: new Date('2010-08-31T12:00:00Z'),
            KeyName: undefined,
          },
        ],
      },
    ],
  })
  expect(xml).toBe(
    '<reservationSet><item><reservationId>r-01</reservationId><groupSet/>' +
      '<instancesSet><item><ebsOptimized>false</ebsOptimized><instanceId>i-0a1</instanceId>' +
      '<instanceState><code>16</code><name>running</name></instanceState><dnsName/>' +
      '<productCodes><item><productCode>774F4FF8</productCode><type>devpay</type></item></productCodes>' +
      '<launchTime>2010-08-31T12:00:00.000Z</launchTime></item></instancesSet></item></reservationSet>',
  )
  expect(writeStructure(output('DescribeInstances'), { Reservations: [] })).toBe('<reservationSet/>')
})

test('a list whose values have no name of their own travels as <member>', () => {
  const xml = writeStructure(output('DescribeInstanceTypes'), {
    InstanceTypes: [{ InferenceAcceleratorInfo: { Accelerators: [{ Count: 1 }] } }],
  })
  expect(xml).toContain('<accelerators><member><count>1</count></member></accelerators>')
})

test('both error envelopes', () => {
  const error = new AwsError('InvalidAMIID.NotFound', 'The image id "<x>" does not exist')
  expect(writeEc2Error(error, 'req-1')).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>InvalidAMIID.NotFound</Code>' +
      '<Message>The image id &quot;&lt;x&gt;&quot; does not exist</Message></Error></Errors><RequestID>req-1</RequestID></Response>',
  )
  expect(writeQueryError(error, 'req-1', 'https://sts.amazonaws.com/doc/2011-06-15/')).toContain(
    '<Error><Type>Sender</Type><Code>InvalidAMIID.NotFound</Code>',
  )
})

test('any text is well-formed XML afterwards, and comes back as it was where XML can hold it', () => {
  const impossible = /[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g
  const entities: Record<string, string> = {
    amp: '&',
    lt: '<',
    gt: '>',
    quot: '"',
    '#xD': '\r',
    '#x85': '\u0085',
    '#x2028': '\u2028',
  }
  const nasty = fc.constantFrom('<', '&', '"', '\r', '\ud800', '\udc00', '\0', '\uffff', '\u2028', 'é', '😀', 'amp;')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(nasty).map((parts) => parts.join('')),
      ),
      (text) => {
        const xml = escapeXml(text)
        expect(xml.replace(/&(amp|lt|gt|quot|#xD|#x85|#x2028);/g, '')).not.toMatch(/[<>&"\r]/)
        expect(xml.isWellFormed()).toBe(true)
        const read = xml.replace(/&([^;]+);/g, (_, name: string) => entities[name] ?? `unknown ${name}`)
        expect(read).toBe(text.toWellFormed().replace(impossible, '\ufffd'))
      },
    ),
    { numRuns: 2000 },
  )
})
