/** Tokens of the paged Describe verbs: opaque to callers, the last row's key to us. They name a place and grant nothing. */
import { Fault } from '../base/fault.ts'
import { isPlainText } from './plain-text.ts'

/** Rows in one answer, whether or not the caller asked for pages: an answer is bounded. */
const pageRowsMax = 1000

/** A token that continues after the row with this key. */
export function writePageToken(kind: string, key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([kind, ...key])).toString('base64url')
}

/**
 * @param shape what each part of the key is
 * @throws Fault InvalidParameter when the token was not made by `writePageToken` with this kind and shape
 */
export function readPageToken(
  kind: string,
  token: string,
  shape: readonly ('text' | 'integer')[],
): (string | number)[] {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
  } catch {
    parts = undefined
  }
  if (Array.isArray(parts) && parts.length === shape.length + 1 && parts[0] === kind) {
    const key: unknown[] = parts.slice(1)
    if (key.every((part, index) => (shape[index] === 'text' ? isText(part) : isInteger(part)))) {
      return key as (string | number)[]
    }
  }
  throw new Fault(
    'InvalidParameter',
    'The NextToken is not one that this request answered with; leave it out to begin anew.',
    { data: { ec2Code: 'InvalidParameterValue', parameter: 'NextToken' } },
  )
}

/**
 * How many rows the caller gets.
 *
 * @throws Fault InvalidParameter outside the least and 1,000
 */
export function pageSize(maxResults: number | undefined, least = 1): number {
  if (maxResults === undefined) return pageRowsMax
  if (!Number.isInteger(maxResults) || maxResults < least || maxResults > pageRowsMax) {
    throw new Fault(
      'InvalidParameter',
      `Value ( ${maxResults} ) for parameter maxResults is invalid. Expecting a value between ${least} and ${pageRowsMax}.`,
      { data: { ec2Code: 'InvalidParameterValue', parameter: 'MaxResults' } },
    )
  }
  return maxResults
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && isPlainText(value)
}

/** What an integer column of the database can be compared with. */
function isInteger(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31
}
