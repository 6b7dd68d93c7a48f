/** A step of a check: something with a name that passes or fails, and how long it took. */
import { spawn, type ChildProcess } from 'node:child_process'

export interface Step {
  readonly name: string
  /** Does the step. @throws Error whose message a person can act on, when the step fails */
  run(): Promise<StepCounts | void>
}

/** What a step counted itself, where it is more than one thing. */
export interface StepCounts {
  readonly passed: number
  readonly failed: number
}

/** The processes now running, so that an interrupted check leaves none behind. */
const running = new Set<ChildProcess>()

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Shown to the person as it comes, instead of only when the command fails. */
  readonly live?: boolean
  readonly timeoutMs?: number
}

/**
 * Runs a command to its end.
 *
 * @returns its exit code, what it printed (empty when it was shown live), and why it was ended if it was
 * @throws Error when it cannot be started
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  { cwd, env, live = false, timeoutMs = 300_000 }: CommandOptions = {},
): Promise<{ code: number; output: string }> {
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
  })
  running.add(child)
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGTERM')
  }, timeoutMs)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (exitCode) => resolve(exitCode ?? 1))
    })
    const output = Buffer.concat(chunks).toString()
    return late ? { code: 1, output: `${output}\nended after ${timeoutMs / 1000} s` } : { code, output }
  } finally {
    clearTimeout(timer)
    running.delete(child)
  }
}

/** A step that is one command; it passes when the command exits with 0, and its output is shown when it does not. */
export function commandStep(name: string, file: string, args: readonly string[], options: CommandOptions = {}): Step {
  return {
    name,
    async run() {
      const { code, output } = await runCommand(file, args, options)
      if (code !== 0) throw new Error(`${[file, ...args].join(' ')} exited with ${code}\n${output.trimEnd()}`)
    },
  }
}

/** Ends every command still running. */
export function endCommands(): void {
  for (const child of running) child.kill('SIGTERM')
}

/**
 * Runs steps one after another, each named and timed. A failed step does not keep the later ones from running.
 *
 * @param total what passed and failed is added to it, so that it holds the counts also when the run is interrupted
 */
export async function runSteps(
  steps: readonly Step[],
  total: { passed: number; failed: number },
  print: (line: string) => void = console.log,
): Promise<void> {
  for (const step of steps) {
    const startedMs = performance.now()
    const took = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
    try {
      const counts = (await step.run()) ?? { passed: 1, failed: 0 }
      total.passed += counts.passed
      total.failed += counts.failed
      print(`${counts.failed === 0 ? 'ok  ' : 'FAIL'} ${step.name} (${took()})`)
    } catch (error) {
      total.failed += 1
      print(`FAIL ${step.name} (${took()})\n${indent((error as Error).message)}`)
    }
  }
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `     ${line}`)
    .join('\n')
}
