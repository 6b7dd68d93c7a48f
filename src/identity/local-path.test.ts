import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localPath } from './local-path.ts'

test.each(['/', '/billing', '/purchase/774F4FF8?x=1&y=a%2Fb#part', '/a//b', '/sign-in?continueTo=%2F%2Felsewhere'])(
  'goes on to %s',
  (path) => expect(localPath(path)).toBe(path),
)

test.each([
  undefined,
  '',
  'billing',
  '//elsewhere.example',
  '///elsewhere.example',
  '/\\elsewhere.example',
  '\\\\elsewhere.example',
  '/.//elsewhere.example',
  '/a/..//elsewhere.example',
  '/%2e//elsewhere.example',
  '/\t/elsewhere.example',
  '/\n/elsewhere.example',
  ' //elsewhere.example',
  'https://elsewhere.example',
  'https:elsewhere.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '@elsewhere.example',
  '/x\r\nSet-Cookie: a=b',
])('does not go on to %j', (path) => expect(localPath(path, '/home')).toBe('/home'))

test('whatever it is given, a browser on our page stays with us', () => {
  const hostile = fc.string({ unit: fc.constantFrom('/', '\\', '.', ':', '@', 'a', '%2e', '%2f', '?', '#', '\t', ' ') })
  fc.assert(
    fc.property(hostile, (text) => {
      const there = new URL(localPath(`/${text}`), 'https://turnpike.example/sign-in')
      expect(there.origin).toBe('https://turnpike.example')
    }),
    { numRuns: 2000 },
  )
})
