import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { completeLockfile, platformOf } from './complete-lockfile.ts'
import { projectFolder } from './source-tree.ts'

test('the name of a platform package says its platform', () => {
  expect(platformOf('@rolldown/binding-linux-x64-musl')).toEqual({ os: ['linux'], cpu: ['x64'], libc: ['musl'] })
  expect(platformOf('@rolldown/binding-linux-arm-gnueabihf')).toEqual({ os: ['linux'], cpu: ['arm'] })
  expect(platformOf('@oxlint-tsgolint/win32-arm64')).toEqual({ os: ['win32'], cpu: ['arm64'] })
  expect(platformOf('fsevents')).toBeUndefined()
})

test('only what is named and not held is added, once', () => {
  const packages = {
    'node_modules/linter': {
      dev: true,
      optionalDependencies: { '@linter/linux-x64': '1.2.3', '@linter/darwin-arm64': '1.2.3', fsevents: '2.0.0' },
    },
    'node_modules/@linter/linux-x64': { version: '1.2.3', optional: true },
  }
  expect(completeLockfile(packages)).toEqual(['@linter/darwin-arm64'])
  expect(packages).toHaveProperty(['node_modules/@linter/darwin-arm64'], {
    version: '1.2.3',
    optional: true,
    dev: true,
    os: ['darwin'],
    cpu: ['arm64'],
  })
  expect(completeLockfile(packages)).toEqual([])
})

test('the lockfile of the project is complete', () => {
  const lockfile = JSON.parse(readFileSync(join(projectFolder, 'package-lock.json'), 'utf8')) as {
    packages: Parameters<typeof completeLockfile>[0]
  }
  expect(Object.keys(lockfile.packages).length).toBeGreaterThan(300)
  expect(completeLockfile(lockfile.packages), 'run: node tools/complete-lockfile.ts').toEqual([])
})
