/** The package as a stranger gets it: emitted, packed, installed into an empty folder, and asked for help. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runCommand, type CommandOptions, type Step } from './step.ts'

export const packageStep: Step = {
  name: 'package (emit, pack, install, run)',
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'turnpike-package-'))
    try {
      rmSync('dist', { recursive: true, force: true })
      const packed = await must('npm', ['pack', '--silent', '--pack-destination', folder])
      const archive = resolve(folder, packed.trim().split('\n').at(-1) ?? '')
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
      await must('npm', ['install', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', archive], {
        cwd: folder,
      })
      const help = await must(join(folder, 'node_modules/.bin/turnpike'), ['--help'], { cwd: folder })
      for (const command of ['serve', 'migrate', 'prove']) {
        if (!help.includes(command))
          throw new Error(`the help of the installed package names no "${command}":\n${help}`)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function must(file: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, output } = await runCommand(file, args, options)
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} exited with ${code}\n${output.trimEnd()}`)
  return output
}
