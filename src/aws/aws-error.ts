/**
 * Errors of the AWS wires: a code clients know, a sentence, an HTTP status; and the two envelopes they travel in.
 * Forms measured against the AWS CLI, boto and both SDKs: only these are read by all of them.
 */
import { escapeXml } from './write-xml.ts'

/** A refusal in the words of the AWS wires. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.name = 'AwsError'
    this.code = code
    this.status = status
  }
}

/** EC2's envelope: `<Response><Errors>…</Errors><RequestID/></Response>`, with its capital ID and no namespace. */
export function writeEc2Error(error: AwsError, requestId: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>' +
    `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>` +
    `</Error></Errors><RequestID>${escapeXml(requestId)}</RequestID></Response>`
  )
}

/** The envelope of the query protocol (STS): `<ErrorResponse>` with the kind of fault. */
export function writeQueryError(error: AwsError, requestId: string, namespace: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<ErrorResponse xmlns="${escapeXml(namespace)}"><Error>` +
    `<Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type>` +
    `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>` +
    `</Error><RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`
  )
}
