/** `npm test`: every check of the project, and at the end one line that counts them. */
import { endCommands, runSteps, type Step } from './step.ts'
import { clientsStep, nativePackagesStep } from './prepare.ts'
import { packageStep } from './package-step.ts'
import { staticSteps } from './static-steps.ts'
import { filesOfGroup, testGroupNames, testGroups, type TestGroupName } from './test-groups.ts'
import { vitestStep } from './vitest-step.ts'

const help = `npm test                        everything: ready the machine, format, types, lint, dead code, package, tests
npm test -- src/base            only tests, of the files whose path holds src/base (any arguments of vitest)
npm test -- --without browser   everything but one group of tests
npm run check                   format, types, lint and dead code alone

Groups of tests that need a program of the system:
${testGroupNames.map((group) => `  ${group.padEnd(14)}${testGroups[group].what}`).join('\n')}
As root on Debian what they need is installed; elsewhere the check fails and names it. Tests are told which program to
drive by TEST_AWS_CLI, TEST_PYTHON and TEST_BROWSER, which may be set by hand.

The last line is "N passed, N failed": each test and each step counts as one.`

interface Request {
  readonly help: boolean
  readonly staticOnly: boolean
  readonly without: readonly TestGroupName[]
  /** Arguments for vitest; when there are any, nothing but vitest is run. */
  readonly vitest: readonly string[]
}

/** @throws Error when a group is not known */
export function parseArguments(args: readonly string[]): Request {
  const without: TestGroupName[] = []
  const vitest: string[] = []
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    if (arg === '--help' || arg === '-h') return { help: true, staticOnly: false, without: [], vitest: [] }
    if (arg === '--static') continue
    const names = arg === '--without' ? (args[(index += 1)] ?? '') : /^--without=(.*)$/.exec(arg)?.[1]
    if (names === undefined) vitest.push(arg)
    else without.push(...names.split(',').map(toGroup))
  }
  return { help: false, staticOnly: args.includes('--static'), without, vitest }
}

function toGroup(name: string): TestGroupName {
  const group = testGroupNames.find((known) => known === name)
  if (group === undefined) {
    throw new Error(`"${name}" is no group of tests; the groups are ${testGroupNames.join(' and ')}.`)
  }
  return group
}

function stepsOf({ staticOnly, without, vitest }: Request): Step[] {
  const tests = vitestStep([...vitest, ...without.flatMap((group) => ['--exclude', filesOfGroup(group)])])
  if (staticOnly) return [nativePackagesStep, ...staticSteps]
  if (vitest.length > 0) return [tests]
  const groups = testGroupNames.filter((group) => !without.includes(group))
  return [nativePackagesStep, clientsStep(groups), ...staticSteps, packageStep, tests]
}

async function main(): Promise<void> {
  const total = { passed: 0, failed: 0 }
  const finish = (): never => {
    console.log(`${total.passed} passed, ${total.failed} failed`)
    process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      endCommands()
      total.failed += 1
      console.log(`interrupted by ${signal}`)
      finish()
    })
  }
  try {
    const request = parseArguments(process.argv.slice(2))
    if (request.help) return console.log(help)
    await runSteps(stepsOf(request), total)
    for (const group of request.without) console.log(`left out: the group ${group} (${testGroups[group].what})`)
  } catch (error) {
    total.failed += 1
    console.log((error as Error).message)
  }
  finish()
}

if (import.meta.main) await main()
