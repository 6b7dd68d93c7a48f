/** What can be said of the source without running it. */
import { commandStep, type Step } from './step.ts'

export const staticSteps: readonly Step[] = [
  commandStep('format (prettier)', 'prettier', ['--check', '--log-level', 'warn', '.']),
  commandStep('types (tsc)', 'tsc', ['-p', '.']),
  commandStep('lint (oxlint, type-aware)', 'oxlint', ['--type-aware', '--deny-warnings', '.']),
  commandStep('dead code (knip)', 'knip', ['--no-progress']),
]
