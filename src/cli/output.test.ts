import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Progress, table, toJson } from './output.ts'

test('a table keeps its columns apart and cuts nothing off', () => {
  const rows = [
    ['123456789012', 'A', 'yes'],
    ['1', 'A name that is longer than its heading', ''],
  ]
  expect(table(['account', 'name', 'operator'], rows, 'none')).toBe(
    [
      'account       name                                    operator',
      '────────────  ──────────────────────────────────────  ────────',
      '123456789012  A                                       yes',
      '1             A name that is longer than its heading',
    ].join('\n'),
  )
  expect(table(['account'], [], 'There are none.')).toBe('There are none.')
  expect(table(['name'], [['up\u001b[2A\nand \u202Eaway']], '')).toBe(`name\n${'─'.repeat(16)}\nup [2A and  away`)
  expect(
    table(
      ['n'],
      Array.from({ length: 200_000 }, () => ['x']),
      '',
    ).split('\n'),
  ).toHaveLength(200_002)
})

test('JSON is one line, bigints as decimal text', () => {
  expect(toJson({ amount: 12n, list: [1n], at: new Date(0) })).toBe(
    '{"amount":"12","list":["1"],"at":"1970-01-01T00:00:00.000Z"}',
  )
})

class Screen {
  readonly isTTY: boolean
  written = ''
  constructor(isTTY: boolean) {
    this.isTTY = isTTY
  }
  write(text: string): boolean {
    this.written += text
    return true
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('progress says nothing in the first second, then a line a second', () => {
  const screen = new Screen(false)
  const progress = new Progress(screen)
  const perSecond = 10
  for (let step = 1; step <= 3 * perSecond; step += 1) {
    vi.advanceTimersByTime(1000 / perSecond)
    progress.report(`${step} done`)
  }
  progress.end()
  expect(screen.written).toBe('10 done\n20 done\n30 done\n')
})

test('on a terminal the line is rewritten, and taken away at the end', () => {
  const screen = new Screen(true)
  const progress = new Progress(screen)
  vi.advanceTimersByTime(1000)
  progress.report('one')
  vi.advanceTimersByTime(100)
  progress.report('two')
  progress.end()
  progress.end()
  expect(screen.written).toBe('\r\u001b[2Kone\r\u001b[2Ktwo\r\u001b[2K')
})

test('a wait is told on a terminal when it takes longer than a second', () => {
  const [short, long, pipe] = [new Screen(true), new Screen(true), new Screen(false)]
  for (const [screen, ms] of [
    [short, 900],
    [long, 5000],
    [pipe, 5000],
  ] as const) {
    const progress = new Progress(screen)
    progress.wait('Opening…')
    vi.advanceTimersByTime(ms)
    progress.end()
  }
  expect([short.written, long.written, pipe.written]).toEqual(['', '\r\u001b[2KOpening…\r\u001b[2K', ''])
})
