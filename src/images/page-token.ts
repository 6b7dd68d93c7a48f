/** Tokens of the paged Describe verbs: opaque to callers, the last row's key to us. They name a place and grant nothing. */
import { Fault } from '../base/fault.ts'

/** Rows in one answer, whether or not the caller asked for pages: an answer is bounded. */
export const pageRowsMax = 1000

/** A token that continues after the row with this key. */
export function writePageToken(kind: string, key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([kind, ...key])).toString('base64url')
}

/**
 * @param length how many parts the key has
 * @throws Fault InvalidParameter when the token was not made by `writePageToken` with this kind
 */
export function readPageToken(kind: string, token: string, length: number): string[] {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
  } catch {
    parts = undefined
  }
  if (
    !Array.isArray(parts) ||
    parts.length !== length + 1 ||
    parts[0] !== kind ||
    !parts.every((part) => typeof part === 'string' || Number.isInteger(part))
  ) {
    throw new Fault(
      'InvalidParameter',
      'The NextToken is not one that this request answered with; leave it out to begin anew.',
      {
        data: { ec2Code: 'InvalidParameterValue', parameter: 'NextToken' },
      },
    )
  }
  return parts.slice(1).map(String)
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
