/** Bad input at the command line: a sentence on standard error, an exit code (2 for a wrong command line), nothing changed. */
import { writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { digestTables } from '../books-summary.ts'
import { testDatabase, type TestDatabase } from '../database.ts'
import { newProduct, sampleProduct } from '../products.ts'
import { makeScratchFolder } from '../scratch-folder.ts'
import { runCommand } from '../service-process.ts'

let house: TestDatabase
let folder: string
let productCode: string
let sellerAccountId: string
let before: Record<string, string>

beforeAll(async () => {
  house = await testDatabase()
  folder = makeScratchFolder('turnpike-cli-')
  const made = await newProduct(house.database)
  productCode = made.product.productCode
  sellerAccountId = made.sellerAccountId
  writeFileSync(join(folder, 'broken.json'), '{"name": ')
  writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ ...sampleProduct(), name: '', colour: 'red' }))
  vi.stubEnv('DATABASE_URL', house.config.databaseUrl)
  vi.stubEnv('TURNPIKE_MASTER_KEY', house.config.masterKey)
  vi.stubEnv('TURNPIKE_CLOCK', 'manual')
  // The first command on a database leaves the mark of its master key there.
  await turnpike(['clock', 'show'])
  before = await digestTables(house.pool)
})
afterEach(() => vi.restoreAllMocks())
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
  await house.close()
})

/** Runs a command line in this process. */
async function turnpike(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', '']
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
  const code = await runProgram(['node', 'turnpike', ...words])
  vi.restoreAllMocks()
  return { code, stdout, stderr }
}

const file = (name: string): string => join(folder, name)
const none = '999999999999'

describe('the command line refuses', () => {
  const wrong: readonly (readonly [words: () => readonly string[], named: string])[] = [
    [() => ['lunch'], 'lunch'],
    [() => ['account', 'befriend'], 'befriend'],
    [() => ['prove', '--loudly'], '--loudly'],
    [() => ['prove', 'everything'], 'argument'],
    [() => ['close-month'], 'month'],
    [() => ['close-month', 'June'], 'June'],
    [() => ['close-month', '2026-13'], '2026-13'],
    [() => ['product', 'list', '--state', 'sold'], 'sold'],
    [() => ['clock', 'advance'], 'to'],
    [() => ['clock', 'advance', 'tomorrow'], 'tomorrow'],
    [() => ['clock', 'advance', '+7y'], '+7y'],
    [() => ['account', 'create'], '--email'],
    [() => ['account', 'list', '--limit', 'many'], 'many'],
    [() => ['account', 'list', '--limit', '0'], 'from 1'],
    [() => ['--log-level', 'loud', 'prove'], 'loud'],
    [() => ['product', 'reject', productCode], '--reason'],
  ]
  test.each(wrong)('a wrong line %#', async (words, named) => {
    const { code, stdout, stderr } = await turnpike(words())
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(named) as string])
    expect(stderr).not.toContain('    at ')
    expect(await digestTables(house.pool)).toEqual(before)
  })

  const refused: readonly (readonly [words: () => readonly string[], named: string])[] = [
    [() => ['close-month', '2026-06'], 'has not ended'],
    [() => ['clock', 'advance', '2020-01-01'], 'only goes forward'],
    [() => ['account', 'show', none], none],
    [() => ['account', 'show', 'nobody'], 'nobody'],
    [() => ['account', 'grant-operator', none], none],
    [() => ['account', 'verify-bank-account', none], none],
    [() => ['account', 'key', 'create', none], none],
    [() => ['account', 'key', 'deactivate', sellerAccountId, 'AKIAAAAAAAAAAAAAAAAA'], 'AKIAAAAAAAAAAAAAAAAA'],
    [() => ['account', 'create', '--email', 'nowhere', '--password', 'long enough to be one'], 'e-mail'],
    [() => ['account', 'create', '--email', 'a@example.com', '--password', 'short'], '10'],
    [() => ['product', 'show', '00000000'], '00000000'],
    [() => ['product', 'show', 'nonsense'], 'nonsense'],
    [() => ['product', 'approve', '00000000'], '00000000'],
    [() => ['product', 'reject', productCode, '--reason', 'late'], 'approved'],
    [() => ['product', 'register', sellerAccountId, file('missing.json')], 'missing.json'],
    [() => ['product', 'register', sellerAccountId, file('broken.json')], 'broken.json'],
    [() => ['product', 'register', sellerAccountId, file('wrong.json')], 'colour'],
    [() => ['product', 'quote', file('broken.json')], 'broken.json'],
    [() => ['rate-card', 'load', file('missing.json')], 'missing.json'],
    [() => ['rate-card', 'load', file('wrong.json')], 'rates'],
  ]
  test.each(refused)('what cannot be done %#', async (words, named) => {
    const { code, stdout, stderr } = await turnpike(words())
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(named) as string])
    expect(stderr).toMatch(/^turnpike: /)
    expect(stderr).not.toContain('    at ')
    expect(await digestTables(house.pool)).toEqual(before)
  })

  test('in JSON when asked for JSON', async () => {
    const { code, stdout, stderr } = await turnpike(['close-month', '2026-06', '--json'])
    expect([code, stdout]).toEqual([1, ''])
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'IncorrectState', message: expect.stringContaining('has not ended') as string },
    })
  })

  test('as a process of its own, too', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await runCommand(['lunch'])
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('lunch') as string])
  })
})
