import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from './config.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnpike-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** An environment whose configuration file holds the given JSON. */
function withFile(content: string, environment: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const file = join(folder, 'turnpike.json')
  writeFileSync(file, content)
  return { TURNPIKE_CONFIG: file, ...environment }
}

test('every key has a default or may be left out', () => {
  const config = loadConfig({}, {})
  expect(config).toMatchObject({ port: 8080, percentageFee: 300n, transactionFee: 30n, retryDays: [7, 14, 21] })
  expect(config.databaseUrl).toBeUndefined()
})

test('the command line wins over the environment, which wins over the file', () => {
  const environment = withFile('{"port": 1, "host": "::1", "clock": "manual"}', {
    TURNPIKE_PORT: '2',
    TURNPIKE_HOST: '',
  })
  expect(loadConfig({ clock: 'system' }, environment)).toMatchObject({ port: 2, host: '::1', clock: 'system' })
})

test('all wrong and unknown keys are named at once, with where they stood', () => {
  const environment = withFile('{"prot": 1, "approval": "maybe"}', { TURNPIKE_PORT: '99999', TURNPIKE_RETRYDAYS: '7' })
  expect(() => loadConfig({}, environment)).toThrowError(
    expect.objectContaining({
      code: 'InvalidConfiguration',
      message: expect.stringMatching(
        /prot in .*turnpike\.json is not a key[^]*TURNPIKE_RETRYDAYS is not a variable.*did you mean TURNPIKE_RETRY_DAYS[^]*TURNPIKE_PORT: [^]*approval in/,
      ),
    }),
  )
})

test.each([
  ['not JSON', '{port: 1}', 'is not JSON'],
  ['a list', '[]', 'holds no JSON object'],
])('a file that is %s is refused', (_, content, sentence) => {
  expect(() => loadConfig({}, withFile(content))).toThrow(sentence)
})

test('a file that was named must exist', () => {
  expect(() => loadConfig({}, { TURNPIKE_CONFIG: join(folder, 'none.json') })).toThrow('cannot be read')
})

test('a master key is exactly 32 bytes', () => {
  expect(() => loadConfig({}, { TURNPIKE_MASTER_KEY: 'c2hvcnQ=' })).toThrow('TURNPIKE_MASTER_KEY: expected 32 bytes')
})
