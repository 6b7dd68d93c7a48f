/** What a bench is, what it finds, and the forms in which that is told. */
import { resolve } from 'node:path'

/** What a bench is told by the command line. */
export interface BenchOptions {
  readonly connections: readonly number[]
  /** Measured time per number of connections, warm-up excluded. */
  readonly seconds: number
  readonly accounts: number
  readonly subscriptions: number
  readonly workers: number
  readonly seed: number
  /** Folder for a CPU profile of the process under test. */
  readonly cpuProfile?: string
}

/** What Node is told to start the process under test with. */
export function profileFlags({ cpuProfile }: Pick<BenchOptions, 'cpuProfile'>): string[] {
  return cpuProfile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProfile)}`]
}

/** One figure, beside the figure of the floor: the least work that the same outcome needs, measured in the same run. */
export interface Measure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly floor: number | null
  /** value ÷ floor. */
  readonly ratio: number | null
  readonly target: number | null
  /** Whether the ratio meets the target; null where there is no target. */
  readonly ok: boolean | null
}

export interface BenchReport {
  readonly bench: string
  readonly measures: readonly Measure[]
  /** Of the process under test alone: neither the client, the floor nor PostgreSQL. */
  readonly peak_rss_mib: number
}

export interface Bench {
  readonly name: string
  /** In one line. */
  readonly about: string
  /** @param tell says how far it is, on standard error */
  run(options: BenchOptions, tell: (line: string) => void): Promise<BenchReport>
}

/** A measure without a target. */
export function measure(name: string, value: number, unit: string, floor: number | null = null): Measure {
  const ratio = floor === null ? null : round(value / floor)
  return { name, value: round(value), unit, floor: floor === null ? null : round(floor), ratio, target: null, ok: null }
}

/** Four digits say more than a run can be repeated to. */
function round(value: number): number {
  return Number(value.toPrecision(4))
}

/** A report for people: one line a measure, in columns. */
export function describeReport(report: BenchReport): string {
  const rows = report.measures.map(({ name, value, unit, floor, ratio }) => [
    name,
    show(value),
    unit,
    floor === null ? '' : `floor ${show(floor)}`,
    ratio === null ? '' : `× ${ratio.toPrecision(3)}`,
  ])
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
  const lines = rows.map((row) => `  ${line(row).trimEnd()}`)
  return [report.bench, ...lines, `  peak memory of the process under test: ${show(report.peak_rss_mib)} MiB`].join(
    '\n',
  )
}

function show(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
}
