import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseArguments } from './run-tests.ts'
import { projectFolder } from './source-tree.ts'
import { runSteps } from './step.ts'
import { countTests, type VitestReport } from './vitest-step.ts'

const report: VitestReport = {
  numPassedTests: 2,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{}, {}] }],
}

describe('counting', () => {
  test('passed and failed tests are counted as they are', () => {
    expect(countTests(report, 0)).toEqual({ passed: 2, failed: 0, problems: [] })
    expect(countTests({ ...report, numFailedTests: 3 }, 1)).toMatchObject({ passed: 2, failed: 3 })
  })

  test.each([
    ['a skipped test', { ...report, numPendingTests: 1 }, 0],
    ['a test only announced', { ...report, numTodoTests: 1 }, 0],
    ['a file that cannot be loaded', { ...report, testResults: [{ status: 'failed', assertionResults: [] }] }, 1],
    ['an error outside any test', report, 1],
    ['a run without tests', { ...report, numPassedTests: 0, testResults: [] }, 0],
    ['a run without a report', undefined, 137],
  ])('%s is one failure', (_, given, exitCode) => {
    const { failed, problems } = countTests(given, exitCode)
    expect(failed).toBe(1)
    expect(problems).not.toEqual([])
  })

  test('a failed step counts as one and does not keep later ones from running', async () => {
    const total = { passed: 0, failed: 0 }
    const printed: string[] = []
    await runSteps(
      [
        { name: 'refuses', run: () => Promise.reject(new Error('refused by the test')) },
        { name: 'passes', run: () => Promise.resolve() },
        { name: 'counts', run: () => Promise.resolve({ passed: 5, failed: 1 }) },
      ],
      total,
      (line) => printed.push(line),
    )
    expect(total).toEqual({ passed: 6, failed: 2 })
    expect(printed.map((line) => line.slice(0, 12))).toEqual(['FAIL refuses', 'ok   passes ', 'FAIL counts '])
    expect(printed[0]).toContain('refused by the test')
  })
})

describe('arguments', () => {
  test('what is no flag of ours is for vitest', () => {
    expect(parseArguments(['src/base', '-t', 'money'])).toMatchObject({ vitest: ['src/base', '-t', 'money'] })
    expect(parseArguments(['--without', 'browser,aws-clients'])).toMatchObject({
      without: ['browser', 'aws-clients'],
      vitest: [],
    })
    expect(parseArguments(['--without=browser', 'src'])).toMatchObject({ without: ['browser'], vitest: ['src'] })
  })

  test('an unknown group is refused with those there are, and counted', () => {
    const { status, stdout } = spawnSync(process.execPath, ['tools/run-tests.ts', '--without', 'printer'], {
      cwd: projectFolder,
      encoding: 'utf8',
    })
    expect(stdout).toContain('"printer" is no group of tests; the groups are aws-clients and browser.')
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed')
    expect(status).toBe(1)
  })

  test('help names every way to run', () => {
    const { status, stdout } = spawnSync(process.execPath, ['tools/run-tests.ts', '--help'], {
      cwd: projectFolder,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    for (const way of ['npm test -- src/base', '--without browser', 'npm run check']) expect(stdout).toContain(way)
  })
})

test('the entry of every script of package.json refuses an old Node in a sentence', () => {
  const old = `Object.defineProperty(process.versions, 'node', { value: '20.1.0' })`
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(old)}`, '--import', './tools/require-node.js', '-e', '0'],
    { cwd: projectFolder, encoding: 'utf8' },
  )
  expect(status).toBe(1)
  expect(stderr).toContain('This is Node 20.1.0; Turnpike needs Node 24 or newer.')
  const { scripts } = JSON.parse(
    spawnSync(process.execPath, ['-p', 'JSON.stringify(require("./package.json"))'], {
      cwd: projectFolder,
      encoding: 'utf8',
    }).stdout,
  ) as { scripts: Record<string, string> }
  const own = Object.values(scripts).filter((script) => script.startsWith('node '))
  expect(own.length).toBeGreaterThan(3)
  for (const script of own) expect(script).toContain(`--import ./${join('tools', 'require-node.js')}`)
})
