import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../base/telemetry.ts'
import { nobody, runsAsRoot, useDataFolder } from './data-folder.ts'
import { startEmbedded } from './embedded.ts'

const log = createLog('silent')
let root: string
let folder: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'turnpike-folders-'))
  // A folder of mkdtemp is closed to others, and one test here becomes another user.
  chmodSync(root, 0o711)
})
beforeEach((context) => {
  folder = join(root, context.task.id)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function refusal(dataFolder: string): Promise<unknown> {
  return await startEmbedded({ dataFolder, log }).then(
    async (embedded) => {
      await embedded.stop()
      return 'it started'
    },
    (error: unknown) => error,
  )
}

test('a file is no data folder, nor is a place inside one', async () => {
  writeFileSync(folder, '')
  for (const path of [folder, join(folder, 'inside')]) {
    expect(await refusal(path)).toMatchObject({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(/not a folder but a file.*TURNPIKE_DATA.*DATABASE_URL/),
    })
  }
})

test('a folder that cannot be made is named with the reason', async () => {
  expect(await refusal('/proc/turnpike')).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/\/proc\/turnpike cannot be made \(ENOENT/),
  })
})

test('somebody else’s files are left alone', async () => {
  mkdirSync(folder)
  for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) writeFileSync(join(folder, name), '')
  expect(await refusal(folder)).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/holds nothing of Turnpike \(it has a\.txt, b\.txt, c\.txt, …\)/),
  })
  expect(existsSync(join(folder, 'lock'))).toBe(false)
})

test('a folder of another user is refused with both uids', () => {
  mkdirSync(folder, { mode: 0o500 })
  const other = nobody().uid
  const us = process.geteuid?.()
  if (runsAsRoot()) process.seteuid?.(other)
  try {
    expect(() => useDataFolder(folder)).toThrow(
      expect.objectContaining({
        code: 'InvalidConfiguration',
        message: expect.stringMatching(
          /cannot be used by uid \d+.*EACCES.*its owner is uid \d+\. Run Turnpike as its owner/,
        ),
      }),
    )
  } finally {
    if (us !== undefined) process.seteuid?.(us)
  }
})

test.each([
  ['17', /made by PostgreSQL 17; this Turnpike comes with PostgreSQL 18 .*pg_dump/],
  ['19', /made by PostgreSQL 19; this Turnpike comes with PostgreSQL 18/],
])('a cluster of PostgreSQL %s is not opened', async (version, message) => {
  mkdirSync(join(folder, 'postgres'), { recursive: true })
  writeFileSync(join(folder, 'postgres', 'PG_VERSION'), `${version}\n`)
  expect(await refusal(folder)).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(message),
  })
  // The refusal frees the folder.
  expect(await refusal(folder)).toMatchObject({ message: expect.stringMatching(message) })
})

test('a folder in the cluster’s place that holds something else is left alone', async () => {
  mkdirSync(join(folder, 'postgres'), { recursive: true })
  writeFileSync(join(folder, 'postgres', 'notes.txt'), 'mine')
  expect(await refusal(folder)).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/postgres is not empty and holds no database/),
  })
  expect(existsSync(join(folder, 'postgres', 'notes.txt'))).toBe(true)
})

test('a cluster PostgreSQL itself refuses is reported in its words', async () => {
  mkdirSync(join(folder, 'postgres'), { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '18\n')
  expect(await refusal(folder)).toMatchObject({
    code: 'InvalidConfiguration',
    message: expect.stringMatching(/PostgreSQL does not start on [^]*postgresql\.conf[^]*the data is left as it was/),
  })
})
