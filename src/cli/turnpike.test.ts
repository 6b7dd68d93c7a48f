/** The command as people and scripts run it: beside a running service and alone. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { emptyDatabase } from '../../test/database.ts'
import { sampleProduct } from '../../test/products.ts'
import { makeScratchFolder } from '../../test/scratch-folder.ts'
import {
  DataFolder,
  endingOf,
  isRunning,
  runCommand,
  startCommand,
  type Ending,
  type ServiceProcess,
} from '../../test/service-process.ts'
import { until } from '../../test/house.ts'
import { runProgram } from './program.ts'

const scratch = makeScratchFolder('turnpike-cli-')
let folder: DataFolder
let service: ServiceProcess

beforeAll(async () => {
  folder = new DataFolder({ TURNPIKE_CLOCK_START: '2026-06-01T00:00:00Z' })
  service = await folder.serve()
}, 60_000)
afterAll(async () => {
  await folder.remove()
  rmSync(scratch, { recursive: true, force: true })
})

/** In this process: starting one for each line would take minutes. Those that are about processes start them. */
async function run(...words: string[]): Promise<Omit<Ending, 'signal'>> {
  const written = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name] += String(chunk)
      return true
    }),
  )
  try {
    return { code: await runProgram(['node', 'turnpike', ...words]), ...written }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Beside the service. */
const beside = (...words: string[]): Promise<Omit<Ending, 'signal'>> => run(...words, '--data-folder', folder.path)
const parsed = async (ending: Promise<Omit<Ending, 'signal'>>): Promise<any> => {
  const { code, stdout, stderr } = await ending
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.endsWith('\n')).toBe(true)
  return JSON.parse(stdout)
}

describe('a wrong command line ends with 2 and says how it is right', { timeout: 60_000 }, () => {
  test.each([
    [['servee'], "unknown command 'servee' (Did you mean serve?)"],
    [['account', 'lsit'], "unknown command 'lsit' (Did you mean list?)"],
    [['account', 'list', '--limt', '3'], "unknown option '--limt' (Did you mean --limit?)"],
    [['account', 'list', '--limit', 'abc'], 'Give a whole number from 1 to 1000.'],
    [['product', 'list', '--state', 'sold'], 'Allowed choices are draft, pending-approval, approved'],
    [['product', 'show'], "missing required argument 'product-code'"],
    [['product', 'reject', '774F4FF8'], "required option '--reason <text>' not specified"],
    [['clock', 'advance', 'soon'], 'Write an instant (2026-07-01'],
    [['close-month', 'June'], 'Write a month as 2026-06.'],
    [['serve', '--port', '99999'], 'Give a port from 0 to 65535'],
    [['serve', '--clock', 'sundial'], 'Allowed choices are system, manual'],
    [['account', 'create', '--email', 'a@example.com'], 'There is no terminal to ask for the password on'],
  ])('turnpike %j', async (words, sentence) => {
    const { code, stdout, stderr } = await run(...words, '--json')
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
    expect({ code, stdout, message: error.message }).toEqual({
      code: 2,
      stdout: '',
      message: expect.stringContaining(sentence),
    })
  })

  test('for people too, with the way to the help', async () => {
    const { code, stderr } = await runCommand(['servee'])
    expect([code, stderr]).toEqual([
      2,
      "turnpike: unknown command 'servee' (Did you mean serve?)\n(add --help for the options and examples)\n",
    ])
  })
})

describe('help', { timeout: 60_000 }, () => {
  const commands = [
    [],
    ['serve'],
    ['demo'],
    ['migrate'],
    ['config'],
    ['prove'],
    ['mail'],
    ['close-month'],
    ['account'],
    ['account', 'create'],
    ['account', 'key'],
    ['account', 'key', 'list'],
    ['product'],
    ['product', 'register'],
    ['product', 'reject'],
    ['rate-card'],
    ['rate-card', 'load'],
    ['clock'],
    ['clock', 'advance'],
  ]
  test.each(commands)('turnpike %s %s %s --help has examples', async (...words) => {
    const { code, stdout } = await run(...words.filter((word) => word !== undefined), '--help')
    expect(code).toBe(0)
    expect(stdout).toMatch(/Examples?:\n {2}\S/)
    expect(stdout).toContain('--data-folder <folder>')
  })
})

describe('beside a running service', { timeout: 60_000 }, () => {
  test('an account is made, shown, given keys; its keys are managed', async () => {
    const words = ['account', 'create', '--email', 'shop@example.com', '--password', 'correct horse battery', '--json']
    const made = await parsed(beside(...words, '--name', 'Shop'))
    expect(made).toMatchObject({ name: 'Shop', operator: false, secretAccessKey: expect.stringMatching(/^\S{40}$/) })
    const { accountId, accessKeyId } = made
    const again = await runCommand([...words, '--data-folder', folder.path])
    expect([again.code, again.stdout, JSON.parse(again.stderr).error.code]).toEqual([1, '', 'Conflict'])
    const second = await parsed(beside('account', 'key', 'create', accountId, '--json'))
    expect(await parsed(beside('account', 'key', 'deactivate', accountId, accessKeyId, '--json'))).toMatchObject({
      active: false,
    })
    const listed = await beside('account', 'key', 'list', accountId)
    expect(listed.stdout).toMatch(/^access key +active +since\n/)
    expect(listed.stdout).toMatch(new RegExp(`^${accessKeyId} +no +2026-06-01$`, 'm'))
    expect(listed.stdout).toMatch(new RegExp(`^${second.accessKeyId} +yes +2026-06-01$`, 'm'))
    expect((await beside('account', 'key', 'delete', accountId, accessKeyId)).code).toBe(0)
    const shown = await parsed(beside('account', 'show', accountId, '--json'))
    expect(shown.accessKeys.map((key: { accessKeyId: string }) => key.accessKeyId)).toEqual([second.accessKeyId])
    expect((await beside('account', 'grant-operator', accountId)).stdout).toBe(`${accountId} is an operator.\n`)
    const none = await beside('account', 'key', 'list', '123456789012')
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/^turnpike: There is no account 123456789012/)])
  })

  test('a product is quoted, registered once, approved, shown with the service’s address', async () => {
    const [{ accountId }] = await parsed(beside('account', 'list', '--limit', '1', '--json'))
    const file = join(scratch, 'product.json')
    const { configuration, price, currency } = sampleProduct()
    writeFileSync(file, JSON.stringify({ configuration, price, currency }))
    expect((await beside('product', 'quote', file)).stdout).toMatch(
      /InstanceHours:us-east-1:linux:m1\.large +0\.50 +0\.\d+/,
    )
    writeFileSync(file, JSON.stringify(sampleProduct()))
    const register = ['product', 'register', accountId, file, '--client-token', 'first', '--json']
    const made = await parsed(beside(...register))
    expect(await parsed(beside(...register))).toEqual(made)
    const { productCode } = made.product
    expect((await beside('product', 'approve', productCode)).stdout).toBe(`${productCode} (ABC AMI) is approved.\n`)
    const shown = await parsed(beside('product', 'show', productCode, '--json'))
    expect(shown.purchaseUrl).toBe(made.purchaseUrl)
    expect(shown.purchaseUrl.startsWith(`${service.url}/purchase/`)).toBe(true)
    const listed = await beside('product', 'list', '--state', 'approved')
    expect(listed.stdout).toContain(productCode)
    const mails = await parsed(beside('mail', '--json', '--limit', '1'))
    expect(mails[0].textBody).toContain(made.purchaseUrl)
    writeFileSync(file, JSON.stringify({ ...sampleProduct(), name: '' }))
    const refused = await beside('product', 'register', accountId, file)
    expect([refused.code, refused.stderr]).toEqual([1, 'turnpike: name is empty.\n'])
    const missing = await beside('product', 'register', accountId, join(scratch, 'nowhere.json'))
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('nowhere.json cannot be read as JSON')])
  })

  test('the clock moves, the month closes, nobody is parked, the rate card is loaded once', async () => {
    const early = await beside('close-month', '2026-06')
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/^turnpike: 2026-06 has not ended: it is/)])
    const moved = await parsed(beside('clock', 'advance', '2026-07-02', '--json'))
    expect(moved).toMatchObject({ from: '2026-06-01T00:00:00.000Z', to: '2026-07-02T00:00:00.000Z' })
    expect((await beside('clock', 'show')).stdout).toBe('2026-07-02T00:00:00.000Z (manual clock)\n')
    expect(await parsed(beside('close-month', '2026-06', '--json'))).toMatchObject({ finished: true, parked: 0 })
    expect(await parsed(beside('close-month', '2026-06', '--parked', '--json'))).toEqual([])
    const release = await beside('close-month', '2026-06', '--release', '123456789012')
    expect([release.code, release.stderr]).toEqual([1, expect.stringContaining('is not parked')])
    const both = await beside('close-month', '2026-06', '--parked', '--release', '123456789012')
    expect(both.code).not.toBe(0)
    expect(await parsed(beside('prove', '--json'))).toMatchObject({ ok: true })
    const card = new URL('../../rate-cards/sample.json', import.meta.url).pathname
    expect(await parsed(beside('rate-card', 'load', card, '--json'))).toMatchObject({ loaded: false, version: 1 })
  })

  test('a reader that has seen enough is no error', async () => {
    const child = startCommand(['rate-card', 'show', '--data-folder', folder.path])
    child.stdout?.destroy()
    const { code, stderr } = await endingOf(child)
    expect([code, stderr]).toEqual([0, ''])
  })
})

describe('alone', { timeout: 60_000 }, () => {
  test('a folder that cannot be used is refused, and left as it is', async () => {
    const foreign = join(scratch, 'foreign')
    mkdirSync(foreign)
    writeFileSync(join(foreign, 'thesis.txt'), 'mine')
    const { code, stderr } = await runCommand(['prove', '--data-folder', foreign])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^turnpike: The data folder .* is not empty/)])
    expect(stderr).not.toContain('    at ')
    expect(readdirSync(foreign)).toEqual(['thesis.txt'])
  })

  test('an interrupted command leaves no PostgreSQL behind, and the next one works', async () => {
    const path = join(scratch, 'interrupted')
    const pidFile = join(path, 'postgres', 'postmaster.pid')
    const child = startCommand(['migrate', '--data-folder', path])
    const ending = endingOf(child)
    const started = async (): Promise<true | undefined> => (existsSync(pidFile) ? true : undefined)
    await until(started, 'PostgreSQL starts', 50_000)
    child.kill('SIGINT')
    expect((await ending).code).not.toBe(0)
    await until(async () => (existsSync(pidFile) ? undefined : true), 'PostgreSQL ends', 30_000)
    expect(isRunning(child.pid ?? 0)).toBe(false)
    const again = await runCommand(['migrate', '--data-folder', path, '--json'])
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ pending: [] })
  })

  test('on a database of one’s own, with a key of one’s own', async () => {
    const own = await emptyDatabase()
    try {
      const masterKey = Buffer.alloc(32, 1).toString('base64')
      const without = await runCommand(['migrate'], { DATABASE_URL: own.url })
      expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('set it as TURNPIKE_MASTER_KEY')])
      const given = { DATABASE_URL: own.url, TURNPIKE_MASTER_KEY: masterKey }
      const migrated = await runCommand(['migrate', '--json'], given)
      expect([migrated.code, JSON.parse(migrated.stdout).pending]).toEqual([0, []])
      const config = await runCommand(['config', '--json'], { ...given, TURNPIKE_TRANSACTION_FEE: '0.25' })
      const keys = JSON.parse(config.stdout) as { key: string; value: string | null }[]
      const shown = Object.fromEntries(keys.map(({ key, value }) => [key, value]))
      expect(shown).toMatchObject({ databaseUrl: '[set]', masterKey: '[set]', transactionFee: '0.25', smtpUrl: null })
      expect(config.stdout).not.toContain(masterKey)
    } finally {
      await own.close()
    }
    const wrong = await runCommand(['prove'], { TURNPIKE_PROT: '1', DATABASE_URL: 'mysql://x' })
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toContain('TURNPIKE_PROT is not a variable of the configuration')
    expect(wrong.stderr).toContain('DATABASE_URL: expected postgres://user@host/database')
  })
})
