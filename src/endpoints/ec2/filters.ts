/** Filters and pages of the Describe actions. */
import { AwsError } from '../../aws/aws-error.ts'
import type { Filter as WireFilter } from '../../aws/ec2-model.generated.ts'
import type { Filter } from '../../images/filter.ts'

/**
 * Filters as the domains take them, which check names and values.
 *
 * @throws AwsError MissingParameter for a filter without a name
 */
export function filtersOf(filters: readonly WireFilter[] | undefined): Filter[] {
  return (filters ?? []).map(({ Name, Values }, index) => {
    if (!Name) throw new AwsError('MissingParameter', `The request must contain the parameter Filter.${index + 1}.Name`)
    return { name: Name, values: Values ?? [] }
  })
}

/**
 * The rows that all filters let through, for lists that are in memory.
 *
 * @param columns what each filter's name looks at: one value, or several of which any may match
 * @throws AwsError InvalidParameterValue for a filter that is not among the columns
 */
export function applyFilters<Row>(
  rows: readonly Row[],
  filters: readonly WireFilter[] | undefined,
  columns: Readonly<Record<string, (row: Row) => string | readonly string[]>>,
): Row[] {
  const tests = filtersOf(filters).map(({ name, values }) => {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined
    if (column === undefined) {
      const known = Object.keys(columns).join(', ')
      throw new AwsError('InvalidParameterValue', `The filter '${name}' is invalid. Known here: ${known}.`)
    }
    if (values.length === 0) {
      throw new AwsError('InvalidParameterValue', `The filter '${name}' has no values; it needs at least one.`)
    }
    const patterns = values.map(pattern)
    return (row: Row) => [column(row)].flat().some((value) => patterns.some((candidate) => candidate.test(value)))
  })
  return rows.filter((row) => tests.every((passes) => passes(row)))
}

/** `*` is any text, `?` any character, a backslash takes the meaning from either. */
function pattern(value: string): RegExp {
  const source = value.replace(/\\[\\*?]|[\s\S]/gu, (piece) => {
    if (piece === '*') return '[\\s\\S]*'
    if (piece === '?') return '[\\s\\S]'
    return (piece.length === 2 && piece.startsWith('\\') ? piece.slice(1) : piece).replace(
      /[\\^$.*+?()[\]{}|]/g,
      '\\$&',
    )
  })
  return new RegExp(`^${source}$`, 'u')
}

/**
 * One page of a list that is in memory and keeps its order.
 *
 * @param keyOf what a token continues after
 * @throws AwsError InvalidParameterValue
 */
export function pageOf<Row>(
  rows: readonly Row[],
  { MaxResults = 1000, NextToken }: { MaxResults?: number | undefined; NextToken?: string | undefined },
  keyOf: (row: Row) => string,
): { page: readonly Row[]; NextToken: string | undefined } {
  if (MaxResults < 1 || MaxResults > 1000) {
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${MaxResults}) for parameter MaxResults is invalid. Expected 1 to 1000.`,
    )
  }
  const after = NextToken === undefined ? -1 : rows.findIndex((row) => tokenOf(keyOf(row)) === NextToken)
  if (NextToken !== undefined && after < 0) {
    throw new AwsError('InvalidParameterValue', 'The NextToken is not one that this request answered with.')
  }
  const page = rows.slice(after + 1, after + 1 + MaxResults)
  const last = page.at(-1)
  const more = after + 1 + page.length < rows.length
  return { page, NextToken: more && last !== undefined ? tokenOf(keyOf(last)) : undefined }
}

function tokenOf(key: string): string {
  return Buffer.from(key).toString('base64url')
}
