/** The package as a stranger gets it: emitted, packed, installed into an empty folder, and asked for help. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { runCommand, type CommandOptions, type Step } from './step.ts'

export const packageStep: Step = {
  name: 'package (emit, pack, install, run)',
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'turnpike-package-'))
    try {
      rmSync('dist', { recursive: true, force: true })
      const packed = await must('npm', ['pack', '--silent', '--pack-destination', folder])
      const archive = basename(packed.trim().split('\n').at(-1) ?? '')
      writeConsumer(folder, archive)
      await must('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit'], { cwd: folder })
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

interface Lockfile {
  readonly lockfileVersion: number
  readonly packages: Record<string, { readonly dev?: boolean; readonly version?: string }>
}

/**
 * A project whose one dependency is the archive. Its lockfile is ours without what only development needs, so that the
 * other packages come from npm's cache, without the network, and a dependency declared for development alone is missed.
 */
function writeConsumer(folder: string, archive: string): void {
  const manifest = { name: 'consumer', version: '0.0.0', dependencies: { turnpike: `file:${archive}` } }
  const { lockfileVersion, packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile
  const { '': root, ...others } = packages
  const needed = Object.entries(others).filter(([, { dev }]) => dev !== true)
  const lockfile = {
    ...manifest,
    lockfileVersion,
    requires: true,
    packages: {
      '': manifest,
      ...Object.fromEntries(needed),
      'node_modules/turnpike': { ...root, name: undefined, devDependencies: undefined, resolved: `file:${archive}` },
    },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockfile))
}

async function must(file: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, output } = await runCommand(file, args, options)
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} exited with ${code}\n${output.trimEnd()}`)
  return output
}
