/**
 * Groups of tests that need a program Node does not bring. A test file belongs to a group by its name,
 * `<subject>.<group>.test.ts`, so that leaving a group out is visible and whole.
 */
import { globSync, readFileSync } from 'node:fs'
import { findClient, clients, type ClientName } from './find-clients.ts'
import { runCommand } from './step.ts'

interface TestGroup {
  readonly what: string
  /** Each client the group needs, with the Debian package that brings it. */
  readonly needs: readonly { readonly client: ClientName; readonly debianPackage: string }[]
}

export const testGroups = {
  'aws-clients': {
    what: 'the AWS CLI and boto3 against the EC2 endpoint',
    needs: [
      { client: 'awsCli', debianPackage: 'awscli' },
      { client: 'python', debianPackage: 'python3-boto3' },
    ],
  },
  browser: {
    what: 'the pages in a real browser',
    needs: [{ client: 'browser', debianPackage: 'chromium' }],
  },
} as const satisfies Record<string, TestGroup>

export type TestGroupName = keyof typeof testGroups

export const testGroupNames = Object.keys(testGroups) as TestGroupName[]

/** Which files belong to a group, as vitest's `--exclude` wants it. */
export function filesOfGroup(group: TestGroupName): string {
  return `**/*.${group}.test.ts`
}

/**
 * Sees to it that every client of the groups is there. As root on Debian it installs what is missing; anywhere else it
 * says what is missing and how to do without it.
 *
 * @returns the environment that tells the tests which command each client is
 * @throws Error naming what is missing and the flag that leaves its group out
 */
export async function prepareGroups(groups: readonly TestGroupName[]): Promise<Record<string, string>> {
  const needed = groups.filter((group) => groupFiles(group).length > 0)
  const missing = needed.flatMap((group) => missingIn(group))
  if (missing.length > 0 && isRootOnDebian()) await install(missing.map(({ debianPackage }) => debianPackage))
  const stillMissing = needed.filter((group) => missingIn(group).length > 0)
  if (stillMissing.length > 0) throw new Error(stillMissing.map(describeMissing).join('\n'))
  const environment: Record<string, string> = {}
  for (const { client } of needed.flatMap((group) => [...testGroups[group].needs])) {
    environment[clients[client].variable] = findClient(client) ?? ''
  }
  return environment
}

function groupFiles(group: TestGroupName): string[] {
  return globSync(filesOfGroup(group), { exclude: (name) => name === 'node_modules' || name === 'dist' })
}

function missingIn(group: TestGroupName): TestGroup['needs'] {
  return testGroups[group].needs.filter(({ client }) => findClient(client) === undefined)
}

function describeMissing(group: TestGroupName): string {
  const packages = missingIn(group).map(({ debianPackage }) => debianPackage)
  return (
    `The group ${group} (${testGroups[group].what}) needs ${packages.join(' and ')}, which this machine has not.\n` +
    `Install what is missing (on Debian: apt-get install ${packages.join(' ')}), or leave the group out: npm test -- --without ${group}`
  )
}

function isRootOnDebian(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

async function install(packages: readonly string[]): Promise<void> {
  console.log(`     installing ${packages.join(', ')}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', ...packages],
  ]) {
    const { code, output } = await runCommand('apt-get', args, { env, timeoutMs: 600_000 })
    if (code !== 0) console.log(`     apt-get ${args.join(' ')} exited with ${code}\n${output.trimEnd()}`)
  }
}
