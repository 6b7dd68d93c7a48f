import { expect, test } from 'vitest'
import { createLog } from './telemetry.ts'

test('secrets never reach the log, at the top or nested', () => {
  const lines: string[] = []
  const log = createLog('info', { write: (line: string) => void lines.push(line) })
  log.info(
    { password: 'p1', request: { headers: { authorization: 'a1', cookie: 'c1' } }, body: { secretAccessKey: 's1' } },
    'x',
  )
  log.info({ card: { number: '4242', cvc: '123', last4: '4242x' } }, 'y')
  const text = lines.join('')
  for (const secret of ['"p1"', '"a1"', '"c1"', '"s1"', '"4242"', '"123"']) expect(text).not.toContain(secret)
  expect(text).toContain('[redacted]')
  expect(text).toContain('4242x')
})
