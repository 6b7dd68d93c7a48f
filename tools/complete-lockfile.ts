/**
 * Completes package-lock.json with the platform packages that npm left out: `node tools/complete-lockfile.ts`, after
 * every `npm install`.
 *
 * A native package names one optional package per platform. Where the registry in reach does not serve one of them, npm
 * writes a lockfile without it, and `npm ci` then refuses that very lockfile as out of step. The entry added here has
 * the platform and the version, no digest: the package is installed only on its own platform.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface LockedPackage {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const operatingSystems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

/** What the name of a platform package says of its platform, or undefined when it is no platform package. */
export function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.slice(name.lastIndexOf('/') + 1).split('-')
  const os = words.find((word) => operatingSystems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  if (os === undefined || cpu === undefined) return undefined
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.includes('gnu') ? 'glibc' : undefined
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) }
}

/**
 * Adds an entry for each optional platform package that the lockfile names and does not hold.
 *
 * @returns the names added
 */
export function completeLockfile(packages: Record<string, LockedPackage>): string[] {
  const added: string[] = []
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(optionalDependencies)) {
      if (`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages) continue
      const platform = platformOf(name)
      if (platform === undefined || !/^\d+\.\d+\.\d+/.test(range)) continue
      packages[`node_modules/${name}`] = { version: range, optional: true, ...(dev ? { dev } : {}), ...platform }
      added.push(name)
    }
  }
  return added
}

if (import.meta.main) {
  const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> }
  const added = completeLockfile(lockfile.packages)
  const [root, ...others] = Object.entries(lockfile.packages)
  if (root === undefined) throw new Error('package-lock.json holds no packages')
  lockfile.packages = Object.fromEntries([root, ...others.sort(([a], [b]) => (a < b ? -1 : 1))])
  if (added.length > 0) writeFileSync('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`)
  console.log(`${added.length} platform packages added to package-lock.json`)
}
