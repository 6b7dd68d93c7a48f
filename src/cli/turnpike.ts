#!/usr/bin/env node
/** The command. Checks Node's version before anything newer than it is loaded. */
const nodeMajorMin = 24
const nodeMajor = Number(process.versions.node.split('.')[0])
if (nodeMajor < nodeMajorMin) {
  process.stderr.write(
    `turnpike needs Node.js ${nodeMajorMin} or newer; this is ${process.versions.node}. Install a newer one, or run it as: npx -p node@${nodeMajorMin} -p turnpike turnpike\n`,
  )
  process.exit(1)
}
const [{ bearClosedPipes }, { runProgram }] = await Promise.all([import('./output.ts'), import('./program.ts')])
bearClosedPipes()
process.exitCode = await runProgram(process.argv)
