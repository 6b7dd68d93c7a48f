/**
 * The name=value pairs of a query string or a form, decoded once, for the signature and for the meaning alike: if the
 * two read a byte differently, a signed request can be made to mean something else.
 */
import { AwsError } from './aws-error.ts'

export type Parameters = readonly (readonly [name: string, value: string])[]

/** More than any client sends; a bound on work done before anybody is known. */
export const parametersMax = 5000

/**
 * Pairs of a URL's query string. A plus sign is a plus sign: signatures of query strings are made over RFC 3986, where
 * `+` and `%2B` are the same text.
 *
 * @throws AwsError MalformedQueryString
 */
export function readQueryString(text: string): Parameters {
  return readPairs(text, decodePercent)
}

/**
 * Pairs of an application/x-www-form-urlencoded body, where a plus sign is a space.
 *
 * @throws AwsError MalformedQueryString
 */
export function readForm(body: Buffer): Parameters {
  return readPairs(body.toString('utf8'), (text) => decodePercent(text.replaceAll('+', ' ')))
}

function readPairs(text: string, decode: (text: string) => string): Parameters {
  const pairs: [string, string][] = []
  if (text === '') return pairs
  for (const pair of text.split('&')) {
    if (pair === '') continue
    if (pairs.length >= parametersMax) {
      throw new AwsError('MalformedQueryString', `The request has more than ${parametersMax} parameters.`)
    }
    const equals = pair.indexOf('=')
    pairs.push(equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))])
  }
  return pairs
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AwsError('MalformedQueryString', 'The query string contains a percent sign that encodes no character.')
  }
}
