/** Makes the machine ready for the checks, or says what it lacks. */
import { existsSync, readFileSync } from 'node:fs'
import { prepareGroups, type TestGroupName } from './test-groups.ts'
import { runCommand, type Step } from './step.ts'

interface LockedPackage {
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

/** The native packages the lockfile holds for this machine that are not installed. */
export function missingNativePackages(): string[] {
  const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> }
  const libc = isMusl() ? 'musl' : 'glibc'
  return Object.entries(lockfile.packages)
    .filter(([, { optional, os, cpu }]) => optional && os?.includes(process.platform) && cpu?.includes(process.arch))
    .filter(([, locked]) => locked.libc?.includes(libc) ?? true)
    .map(([path]) => path)
    .filter((path) => !existsSync(path))
}

/**
 * npm leaves an optional package out when the Node that runs npm is too old for it, and says nothing. The machine's Node
 * may be too old for the linter's and the test runner's native parts while ours is not, so npm is run again with ours.
 */
export const nativePackagesStep: Step = {
  name: 'native packages',
  async run() {
    if (missingNativePackages().length === 0) return
    console.log(`     installing ${missingNativePackages().join(', ')}`)
    const npm = process.env['npm_execpath']
    const args = ['install', '--no-save', '--ignore-scripts', '--prefer-offline']
    const { output } = await (npm === undefined
      ? runCommand('npm', args)
      : runCommand(process.execPath, [npm, ...args]))
    const missing = missingNativePackages()
    if (missing.length > 0) throw new Error(`${missing.join(', ')} could not be installed:\n${output.trimEnd()}`)
  },
}

/** The clients that the test groups drive; puts their commands into this process's environment. */
export function clientsStep(groups: readonly TestGroupName[]): Step {
  return {
    name: `clients of the tests (${groups.join(', ') || 'none'})`,
    async run() {
      Object.assign(process.env, await prepareGroups(groups))
    },
  }
}

function isMusl(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return process.platform === 'linux' && header.glibcVersionRuntime === undefined
}
