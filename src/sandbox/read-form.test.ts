import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from './sandbox.ts'
import { readForm, type FormValue } from './read-form.ts'

type Tree = string | Tree[] | { [key: string]: Tree }

/** Writes values as Stripe's SDK does: brackets bare, lists by number. */
function write(value: Tree, name: string): string[] {
  if (typeof value === 'string') return [`${encode(name)}=${encode(value)}`]
  return Object.entries(value).flatMap(([key, item]) => write(item, `${name}[${key}]`))
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/%5B/g, '[').replace(/%5D/g, ']')
}

/** What is read: groups without a prototype, lists as numbered keys. */
function plain(value: FormValue): unknown {
  return typeof value === 'string'
    ? value
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

function numbered(value: Tree): unknown {
  return typeof value === 'string'
    ? value
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, numbered(item)]))
}

const key = fc.stringMatching(/^[a-z_][a-zA-Z0-9_. é-]{0,8}$/).filter((text) => text !== '__proto__')
const leaf = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0') && text.isWellFormed())
const tree = fc.letrec<{ tree: Tree; group: { [key: string]: Tree } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    fc.dictionary(key, tie('tree'), { minKeys: 1, maxKeys: 3 }),
  ),
  group: fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
}))

test('whatever the SDK writes is read back', () => {
  fc.assert(
    fc.property(tree.group, (values) => {
      const text = Object.entries(values)
        .flatMap(([name, value]) => write(value, name))
        .join('&')
      expect(plain(readForm(text))).toEqual(numbered(values))
    }),
    { numRuns: 500 },
  )
})

test('any text is read or refused with 400, and touches no prototype', () => {
  const piece = fc.oneof(
    fc.constantFrom('a', '[', ']', '=', '&', '%', '%5B', '%00', '+', '__proto__', 'constructor', '0', '[]'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        const form = readForm(pieces.join(''))
        expect(Object.getPrototypeOf(form)).toBeNull()
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal)
        expect((error as Refusal).status).toBe(400)
      }
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
    { numRuns: 2000 },
  )
})

test('empty brackets append, plus signs are spaces, a missing value is empty', () => {
  expect(plain(readForm('expand[]=a&expand[]=b+c&flag'))).toEqual({ expand: { 0: 'a', 1: 'b c' }, flag: '' })
})

test.each([
  ['a=1&a=2', 'given twice'],
  ['a=1&a[b]=2', 'both a value and a group'],
  ['a[b]=1&a=2', 'given twice'],
  ['a[b=1', 'Invalid parameter name'],
  ['=1', 'Invalid parameter name'],
  ['a[__proto__][polluted]=1', 'Invalid parameter name'],
  ['__proto__[polluted]=1', 'Invalid parameter name'],
  ['a=%zz', 'not form-encoded'],
  ['a=%00', 'NUL'],
  ['a[b][c][d][e][f][g]=1', 'nested too deeply'],
  [`${'a'.repeat(501)}=1`, 'more than 500 characters'],
  [Array.from({ length: 1001 }, (_, index) => `a${index}=1`).join('&'), 'At most 1000'],
])('refuses %s', (text, sentence) => {
  expect(() => readForm(text)).toThrow(sentence)
})
