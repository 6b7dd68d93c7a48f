/**
 * Finds the clients that tests drive from outside: the AWS CLI, a Python with boto3, a browser. A candidate counts when
 * it answers, not when it exists: a version manager's shim may stand on the PATH before a system package and hold nothing.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** A client, where it may be, and how to see that it works. */
interface Client {
  readonly variable: string
  readonly candidates: readonly string[]
  readonly probe: readonly string[]
}

export const clients = {
  awsCli: { variable: 'TEST_AWS_CLI', candidates: ['/usr/bin/aws', 'aws'], probe: ['--version'] },
  python: {
    variable: 'TEST_PYTHON',
    candidates: ['/usr/bin/python3', 'python3'],
    probe: ['-c', 'import boto3'],
  },
  browser: {
    variable: 'TEST_BROWSER',
    candidates: ['/usr/bin/chromium', 'chromium', 'chromium-browser', 'google-chrome'],
    probe: ['--version'],
  },
} as const satisfies Record<string, Client>

export type ClientName = keyof typeof clients

/**
 * The command of a client that works: what its environment variable names, or else the first candidate that answers.
 *
 * @returns undefined when none does
 */
export function findClient(name: ClientName): string | undefined {
  const { variable, candidates, probe } = clients[name]
  const named = process.env[variable]
  return (named === undefined || named === '' ? candidates : [named]).find((candidate) => answers(candidate, probe))
}

/**
 * The command of a client, for a test that cannot do without it.
 *
 * @throws Error naming the client and what to do, when there is none
 */
export function requireClient(name: ClientName): string {
  const found = findClient(name)
  if (found !== undefined) return found
  const { variable, candidates } = clients[name]
  throw new Error(
    `none of ${candidates.join(', ')} works here; install one or name it in ${variable} ("npm test -- --help" says how)`,
  )
}

function answers(command: string, probe: readonly string[]): boolean {
  if (command.startsWith('/') && !existsSync(command)) return false
  try {
    execFileSync(command, probe, { stdio: 'ignore', timeout: 60_000 })
    return true
  } catch {
    return false
  }
}
