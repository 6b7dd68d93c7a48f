/**
 * Filters of the Describe verbs: a name and values, any of which may match; all filters must. `*` stands for any text, `?` for
 * one character, a backslash before either (or before itself) for the character itself. A filter without values is refused:
 * it would match nothing, and whoever sent it meant something else.
 */
import { Fault } from '../base/fault.ts'
import { requirePlainText } from './plain-text.ts'

export interface Filter {
  readonly name: string
  readonly values: readonly string[]
}

const valuesMax = 200
const lengthMax = 1024

/**
 * Checks that every filter is known and holds values.
 *
 * @param names what is allowed; `tag:` stands for `tag:` and any key
 * @throws Fault InvalidParameter
 */
export function requireFilters(filters: readonly Filter[], names: ReadonlySet<string>): void {
  for (const { name, values } of filters) {
    for (const text of [name, ...values]) requirePlainText('Filter', text, lengthMax)
    const known = name.startsWith('tag:') ? names.has('tag:') && name.length > 4 : names.has(name) && name !== 'tag:'
    if (!known) {
      throw new Fault('InvalidParameter', `The filter '${name}' is invalid. Known here: ${[...names].join(', ')}.`, {
        data: { ec2Code: 'InvalidParameterValue', parameter: 'Filter' },
      })
    }
    if (values.length === 0 || values.length > valuesMax) {
      throw new Fault(
        'InvalidParameter',
        `The filter '${name}' has ${values.length} values; it needs at least one and at most ${valuesMax}.`,
        { data: { ec2Code: 'InvalidParameterValue', parameter: 'Filter' } },
      )
    }
  }
}

/** Whether a value holds a wildcard that is not escaped. */
export function hasWildcard(value: string): boolean {
  return /[*?]/.test(value.replace(/\\[\\*?]/g, ''))
}

/** A value without wildcards, its escapes resolved. */
export function literalValue(value: string): string {
  return value.replace(/\\([\\*?])/g, '$1')
}

/** The value as a pattern of SQL's LIKE with backslash as its escape. */
export function likePattern(value: string): string {
  return value.replace(/\\[\\*?]|[\s\S]/gu, (piece) => {
    if (piece === '*') return '%'
    if (piece === '?') return '_'
    const literal = piece.length === 2 && piece.startsWith('\\') ? piece.slice(1) : piece
    return /[%_\\]/.test(literal) ? `\\${literal}` : literal
  })
}
