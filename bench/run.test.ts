/** Both benches at a size that proves no speed, only that they measure what they say and print it in the form agreed. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { describeReport, measure, type BenchReport } from './bench.ts'
import { SeededRandom } from './seeded-random.ts'

const program = fileURLToPath(new URL('run.ts', import.meta.url))

interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function bench(...words: string[]): Promise<Ending> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [program, ...words], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

async function report(...words: string[]): Promise<BenchReport> {
  const { code, stdout, stderr } = await bench(...words, '--json')
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as BenchReport
}

const anyMeasure = {
  name: expect.any(String),
  value: expect.any(Number),
  unit: expect.any(String),
  target: null,
  ok: null,
}

test.concurrent(
  'launch compares launches with its floor, at every number of connections asked for',
  { timeout: 90_000 },
  async () => {
    const found = await report('launch', '--accounts', '3', '--seconds', '1', '--connections', '1,2')
    expect(Object.keys(found)).toEqual(['bench', 'measures', 'peak_rss_mib'])
    expect(found).toMatchObject({ bench: 'launch', peak_rss_mib: expect.any(Number) })
    expect(found.peak_rss_mib).toBeGreaterThan(50)
    for (const one of found.measures) expect(one).toMatchObject(anyMeasure)
    const launches = found.measures.filter(({ name }) => name.startsWith('launches'))
    expect(launches.map(({ name }) => name)).toEqual(['launches, 1 connection', 'launches, 2 connections'])
    for (const { value, floor, ratio } of launches) {
      expect(value).toBeGreaterThan(0)
      expect(ratio).toBeCloseTo(value / (floor ?? 0), 2)
    }
  },
)

test.concurrent('close-month closes and proves the month it made up', { timeout: 90_000 }, async () => {
  const found = await report('close-month', '--subscriptions', '60')
  expect(found).toMatchObject({ bench: 'close-month', peak_rss_mib: expect.any(Number) })
  for (const one of found.measures) expect(one).toMatchObject(anyMeasure)
  const closed = found.measures.find(({ name }) => name === 'subscriptions closed')
  expect(closed?.floor).toBeGreaterThan(0)
})

test('without a name the benches are listed; a wrong command line ends with 2 and says what there is', async () => {
  const [listed, unknown, wrong] = await Promise.all([bench(), bench('lunch'), bench('launch', '--seconds', 'few')])
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/launch .*\n.*close-month /) })
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('there are launch, close-month') })
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('a whole number from 1') })
})

test('a report for people names every figure with its unit, its floor and their ratio', () => {
  const measures = [measure('launches', 500, '1/s', 2000), measure('peak memory', 200, 'MiB')]
  expect(describeReport({ bench: 'launch', measures, peak_rss_mib: 200 })).toBe(
    'launch\n  launches     500  1/s  floor 2,000  × 0.250\n  peak memory  200  MiB\n  peak memory of the process under test: 200 MiB',
  )
})

test('one seed makes one sequence', () => {
  const [one, same, other] = [new SeededRandom(1), new SeededRandom(1), new SeededRandom(2)]
  expect(one.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  same.uuid()
  expect(same.hex(17)).toBe(one.hex(17))
  expect(other.uuid()).not.toBe(new SeededRandom(1).uuid())
})
