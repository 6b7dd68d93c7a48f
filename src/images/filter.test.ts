import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Fault } from '../base/fault.ts'
import { sql } from '../database/database.ts'
import { hasWildcard, likePattern, literalValue, requireFilters } from './filter.ts'
import { textMatches } from './store.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

test('wildcards stand for text unless a backslash stands before them', () => {
  expect(hasWildcard('a*')).toBe(true)
  expect(hasWildcard('a\\*')).toBe(false)
  expect(hasWildcard('a\\\\*')).toBe(true)
  expect(literalValue('a\\*\\?\\\\b')).toBe('a*?\\b')
  expect(likePattern('50%_a*?\\*\\?')).toBe('50\\%\\_a%_*?')
})

/** What a filter value means, written a second way. */
function means(value: string, text: string): boolean {
  const source = value.replace(/\\[\\*?]|[\s\S]/gu, (piece) => {
    if (piece === '*') return '[\\s\\S]*'
    if (piece === '?') return '[\\s\\S]'
    const literal = piece.length === 2 && piece.startsWith('\\') ? piece.slice(1) : piece
    return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, 'u').test(text)
}

test('the database finds what the value means, whatever characters it holds', async () => {
  const piece = fc.constantFrom('a', 'b', '*', '?', '\\', '%', '_', 'é', '𝒳', '.', '\\*', '\\?', '\\\\')
  const cases = fc.sample(
    fc.record({
      values: fc.array(
        fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
        { minLength: 1, maxLength: 3 },
      ),
      text: fc
        .array(fc.constantFrom('a', 'b', '*', '?', '\\', '%', '_', 'é', '𝒳', '.'), { maxLength: 5 })
        .map((all) => all.join('')),
    }),
    { numRuns: 500, seed: 7 },
  )
  let found = 0
  await house.database.read(async (tx) => {
    for (const { values, text } of cases) {
      const { matches } = await tx.one<{ matches: boolean }>(
        sql`select ${textMatches(sql`${text}::text`, values)} as matches`,
      )
      expect([values, text, matches]).toEqual([values, text, values.some((value) => means(value, text))])
      if (matches) found += 1
    }
  })
  expect(found).toBeGreaterThan(20)
})

test('a filter without values is refused by the verb and matches nothing in the store', async () => {
  expect(() => requireFilters([{ name: 'image-id', values: [] }], new Set(['image-id']))).toThrow(Fault)
  const { matches } = await house.database.read((tx) =>
    tx.one<{ matches: boolean }>(sql`select ${textMatches(sql`'x'::text`, [])} as matches`),
  )
  expect(matches).toBe(false)
})

test('an unknown filter is refused by name', () => {
  const names = new Set(['image-id', 'tag:'])
  expect(() => requireFilters([{ name: 'imageid', values: ['x'] }], names)).toThrow("The filter 'imageid' is invalid")
  expect(() => requireFilters([{ name: 'tag:', values: ['x'] }], names)).toThrow(Fault)
  expect(() => requireFilters([{ name: 'tag:Name', values: ['x'] }], names)).not.toThrow()
})
