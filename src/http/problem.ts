/** What went wrong with a request, in a form that each kind of route writes in its own wire. */
import { Fault } from '../base/fault.ts'
import { AwsError } from '../aws/aws-error.ts'

export interface Problem {
  readonly status: number
  /** A word for programs, such as `NotSubscribed`. */
  readonly code: string
  /** A sentence for people. Public: it never says more than the caller may know. */
  readonly message: string
  readonly data: Readonly<Record<string, string>>
  readonly requestId: string
}

/** Refusals of the server itself, by Fastify's code; any other 4xx of it keeps its own status. */
const serverRefusals: Readonly<Record<string, readonly [code: string, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['RequestTooLarge', 'The request is larger than this service takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UnsupportedMediaType',
    'The content type of the request is not one this address takes.',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MalformedRequest', 'The body is not as long as the request says.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['MalformedRequest', 'The body is not JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['MalformedRequest', 'The body is empty where JSON was expected.'],
  FST_ERR_VALIDATION: ['InvalidParameter', 'The request is not of the form this address takes.'],
}

/** Whatever was thrown, as something that may be shown. Anything unforeseen is `Internal`, without its message. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof Fault) {
    return { status: error.status, code: error.code, message: error.message, data: error.data, requestId }
  }
  if (error instanceof AwsError) {
    return { status: error.status, code: error.code, message: error.message, data: {}, requestId }
  }
  const { code = '', statusCode = 500, message = '', validation } = error as ServerRefusal
  if (statusCode >= 400 && statusCode < 500) {
    const [name, sentence] = serverRefusals[code] ?? ['MalformedRequest', 'The request could not be read.']
    // A validation's own message names the field; it is made from our schema and the caller's input only.
    return {
      status: statusCode,
      code: name,
      message: validation === undefined ? sentence : message,
      data: {},
      requestId,
    }
  }
  return {
    status: 500,
    code: 'Internal',
    message: `Something went wrong on this side. Nothing is known to be wrong with the request; try again, or name request ${requestId} to the operator.`,
    data: {},
    requestId,
  }
}

interface ServerRefusal {
  readonly code?: string
  readonly statusCode?: number
  readonly message?: string
  readonly validation?: unknown
}

/** RFC 9457 problem details, with the code and data as extension members. */
export function problemJson(problem: Problem): string {
  return JSON.stringify({
    type: 'about:blank',
    title: problem.code,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(Object.keys(problem.data).length > 0 ? { data: problem.data } : {}),
    requestId: problem.requestId,
  })
}
