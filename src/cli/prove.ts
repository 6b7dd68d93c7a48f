/** `turnpike prove`: checks every invariant of the books. */
import type { Command } from 'commander'
import { prove } from '../proof/prove.ts'
import { print, toJson } from './output.ts'
import { withHouse } from './with-house.ts'

export function addProveCommand(program: Command): void {
  program
    .command('prove')
    .description('Check every invariant of the books; exits with 1 when one is broken.')
    .addHelpText('after', '\nExamples:\n  turnpike prove\n  turnpike prove --json | jq .ok')
    .action(async (_options: unknown, command: Command) => {
      await withHouse(command, async (house, json) => {
        const proof = await prove(house.database)
        print(json, proof, () => {
          const lines = proof.checks.flatMap((check) => [
            `${check.ok ? '✔' : '✘'} ${check.name}: ${check.statement}`,
            ...(check.ok ? [] : [`    broken ${check.count} times, such as:`]),
            ...check.violations.map((violation) => `    ${toJson(violation).replaceAll(/\s+/g, ' ')}`),
          ])
          const broken = proof.checks.filter((check) => !check.ok).length
          const summary = proof.ok
            ? `The books are proven: ${proof.checks.length} invariants hold.`
            : `${broken} of ${proof.checks.length} invariants are broken.`
          return [...lines, '', summary].join('\n')
        })
        if (!proof.ok) process.exitCode = 1
      })
    })
}
