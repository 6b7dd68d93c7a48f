import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadMasterKey } from './master-key.ts'

const nothing = { masterKey: undefined, databaseUrl: undefined }
let dataFolder: string

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'turnpike-key-'))
})
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

test('a configured key is used, and no file is made', () => {
  const key = Buffer.alloc(32, 3)
  expect(loadMasterKey({ ...nothing, masterKey: key.toString('base64'), dataFolder })).toEqual(key)
  expect(statSync(join(dataFolder, 'master.key'), { throwIfNoEntry: false })).toBeUndefined()
})

test('a key is made once in the data folder, for its owner alone', () => {
  const first = loadMasterKey({ ...nothing, dataFolder })
  expect(first).toHaveLength(32)
  expect(statSync(join(dataFolder, 'master.key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(dataFolder, 'master.key'), 'utf8')).toBe(`${first.toString('base64')}\n`)
  expect(loadMasterKey({ ...nothing, dataFolder })).toEqual(first)
})

test('a key file others can read is refused', () => {
  loadMasterKey({ ...nothing, dataFolder })
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(join(dataFolder, 'master.key'), mode)
    expect(() => loadMasterKey({ ...nothing, dataFolder })).toThrow(
      new RegExp(`can be read by others \\(its mode is 0${mode.toString(8)}\\).*chmod 600`),
    )
  }
})

test('a key file that holds no key is refused, never replaced', () => {
  const path = join(dataFolder, 'master.key')
  writeFileSync(path, 'c2hvcnQ=\n', { mode: 0o600 })
  expect(() => loadMasterKey({ ...nothing, dataFolder })).toThrow(/holds 5 bytes instead of 32/)
  expect(readFileSync(path, 'utf8')).toBe('c2hvcnQ=\n')
})

test('with DATABASE_URL the key must be configured, and the refusal says how to make one', () => {
  const config = { masterKey: undefined, databaseUrl: 'postgres://somewhere/turnpike', dataFolder }
  expect(() => loadMasterKey(config)).toThrow(/openssl rand -base64 32.*TURNPIKE_MASTER_KEY/)
})
