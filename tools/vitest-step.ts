/** The tests themselves: vitest, shown to the person as it runs, and counted from its own report. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand, type Step, type StepCounts } from './step.ts'

/** The part of vitest's JSON report that is counted. */
export interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

/**
 * Counts a report. A file that could not be loaded is one failure; so is each skipped or unwritten test, a run without
 * tests, and an exit code that no failed test explains (an error outside any test).
 */
export function countTests(report: VitestReport | undefined, exitCode: number): StepCounts & { problems: string[] } {
  if (report === undefined) {
    return { passed: 0, failed: 1, problems: [`vitest exited with ${exitCode} and left no report`] }
  }
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length
  const skipped = report.numPendingTests + report.numTodoTests
  const problems: string[] = []
  if (broken > 0) problems.push(`${broken} test files could not be loaded`)
  if (skipped > 0)
    problems.push(`${skipped} tests did not run: skipped, only announced, or the set-up of their file failed`)
  if (report.numPassedTests + report.numFailedTests === 0) problems.push('no test was run')
  let failed = report.numFailedTests + broken + skipped
  if (failed === 0 && (exitCode !== 0 || problems.length > 0)) {
    failed = 1
    problems.push(`vitest exited with ${exitCode}`)
  }
  return { passed: report.numPassedTests, failed, problems }
}

/** @param args passed on to vitest */
export function vitestStep(args: readonly string[]): Step {
  return {
    name: 'tests (vitest)',
    async run() {
      const folder = mkdtempSync(join(tmpdir(), 'turnpike-tests-'))
      const reportPath = join(folder, 'report.json')
      try {
        const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
        const { code } = await runCommand('vitest', ['run', ...reporters, ...args], {
          live: true,
          timeoutMs: 3_000_000,
        })
        const { problems, ...counts } = countTests(readReport(reportPath), code)
        for (const problem of problems) console.log(`     ${problem}`)
        return counts
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

function readReport(path: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}
