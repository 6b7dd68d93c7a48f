import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Database, type Transaction } from '../database/database.ts'
import { createAccessKey } from './create-access-key.ts'
import { createAccount } from './create-account.ts'
import { deleteAccessKey } from './delete-access-key.ts'
import { accessKeysRemembered, findAccessKey } from './find-access-key.ts'
import { grantOperator } from './grant-operator.ts'
import { listAccessKeys } from './list-access-keys.ts'
import { listAudit } from './record-audit.ts'
import { setAccessKeyActive } from './set-access-key-active.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

const transaction = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => house.database.transaction(work)

async function newAccount(): Promise<string> {
  const account = await transaction((tx) => createAccount(tx, { name: 'Anna', email: 'anna@example.com' }))
  return account.accountId
}

async function newKey(accountId: string) {
  return await transaction((tx) => createAccessKey(tx, { accountId, actor: accountId }))
}

/** The same database seen by another server: what it holds in memory is not told of changes made here. */
function anotherServer(): Database {
  const { database } = house
  return new Database({
    pool: database.pool,
    clock: database.clock,
    config: database.config,
    sealer: database.sealer,
    log: database.log,
  })
}

test('a key is shown with its secret once, kept sealed, and found with its secret', async () => {
  const accountId = await newAccount()
  const { accessKeyId, secretAccessKey } = await newKey(accountId)
  expect(accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
  expect(secretAccessKey).toMatch(/^[A-Za-z0-9]{40}$/)
  expect(await findAccessKey(house.database, accessKeyId)).toEqual({
    accountId,
    operator: false,
    active: true,
    secret: secretAccessKey,
  })
  const listed = await transaction((tx) => listAccessKeys(tx, accountId))
  expect(listed).toEqual([{ accessKeyId, accountId, active: true, createdAt: new Date('2026-06-01T00:00:00Z') }])
  const dump = await house.pool.query(
    'select k::text as row from access_key k union all select a::text from audit_entry a',
  )
  const everything = JSON.stringify(dump.rows)
  expect(everything).toContain(accessKeyId)
  expect(everything).not.toContain(secretAccessKey)
  expect(everything).not.toContain(Buffer.from(secretAccessKey).toString('hex'))
})

test('a sealed secret moved to another key’s row does not open', async () => {
  const accountId = await newAccount()
  const [mine, other] = [await newKey(accountId), await newKey(accountId)]
  await house.pool.query(
    `update access_key set secret_sealed = (select secret_sealed from access_key where access_key_id = $1)
      where access_key_id = $2`,
    [mine.accessKeyId, other.accessKeyId],
  )
  await expect(findAccessKey(house.database, other.accessKeyId)).rejects.toThrow('unable to authenticate')
  expect(await findAccessKey(house.database, mine.accessKeyId)).toMatchObject({ active: true })
})

test('five keys to an account, also when requests race; deleting makes room', async () => {
  const accountId = await newAccount()
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => newKey(accountId)))
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(3)
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'LimitExceeded' })
  const keys = await transaction((tx) => listAccessKeys(tx, accountId))
  expect(keys).toHaveLength(5)
  const accessKeyId = keys[0]?.accessKeyId ?? ''
  await transaction((tx) => deleteAccessKey(tx, { accountId, accessKeyId, actor: accountId }))
  expect(await newKey(accountId)).toMatchObject({ accessKeyId: expect.stringMatching(/^AKIA/) })
  await expect(newKey('999999999999')).rejects.toMatchObject({ code: 'NotFound' })
})

test('a change bites at once on this server, and only when it is durable', async () => {
  const accountId = await newAccount()
  const { accessKeyId } = await newKey(accountId)
  const find = () => findAccessKey(house.database, accessKeyId)
  const set = (active: boolean) =>
    transaction((tx) => setAccessKeyActive(tx, { accountId, accessKeyId, active, actor: accountId }))
  expect(await find()).toMatchObject({ active: true })
  await set(false)
  expect(await find()).toMatchObject({ active: false })
  await set(true)
  expect(await find()).toMatchObject({ active: true })
  await expect(
    transaction(async (tx) => {
      await setAccessKeyActive(tx, { accountId, accessKeyId, active: false, actor: accountId })
      throw new Error('rolled back')
    }),
  ).rejects.toThrow('rolled back')
  expect(await find()).toMatchObject({ active: true })
  await transaction((tx) => grantOperator(tx, { accountId, actor: 'system' }))
  expect(await find()).toMatchObject({ operator: true })
  await transaction((tx) => deleteAccessKey(tx, { accountId, accessKeyId, actor: accountId }))
  expect(await find()).toBeUndefined()
})

test('a question on its way while the key is deactivated is not believed afterwards', async () => {
  const accountId = await newAccount()
  const { accessKeyId } = await newKey(accountId)
  const early = findAccessKey(house.database, accessKeyId)
  await transaction((tx) => setAccessKeyActive(tx, { accountId, accessKeyId, active: false, actor: accountId }))
  await early
  expect(await findAccessKey(house.database, accessKeyId)).toMatchObject({ active: false })
})

test('a change made by another server bites within a second', async () => {
  const accountId = await newAccount()
  const { accessKeyId } = await newKey(accountId)
  const server = anotherServer()
  expect(await findAccessKey(server, accessKeyId)).toMatchObject({ active: true })
  await house.pool.query('update access_key set active = false where access_key_id = $1', [accessKeyId])
  const changedAtMs = performance.now()
  expect(await findAccessKey(server, accessKeyId)).toMatchObject({ active: true })
  await vi.waitFor(async () => expect(await findAccessKey(server, accessKeyId)).toMatchObject({ active: false }), {
    timeout: 5000,
    interval: 10,
  })
  expect(performance.now() - changedAtMs).toBeLessThan(1000)
})

test('unknown keys are not remembered, nor more known ones than the most', async () => {
  const before = accessKeysRemembered()
  const unknown = Array.from({ length: 500 }, (_, index) => `AKIA${String(index).padStart(16, '0')}`)
  expect(await Promise.all(unknown.map((id) => findAccessKey(house.database, id)))).toEqual(
    unknown.map(() => undefined),
  )
  expect(accessKeysRemembered()).toBe(before)
  for (const odd of ['', 'short', 'akia'.repeat(5), 'A'.repeat(33), `${'A'.repeat(16)}\n`, 'Ä'.repeat(16)]) {
    expect(await findAccessKey(house.database, odd)).toBeUndefined()
  }

  const accountId = await newAccount()
  const ids = Array.from({ length: 10_050 }, (_, index) => `BULK${String(index).padStart(16, '0')}`)
  await house.pool.query(
    `insert into access_key (access_key_id, account_id, secret_sealed, created_at)
     select id, $2, sealed, now() from unnest($1::text[], $3::bytea[]) as bulk (id, sealed)`,
    [ids, accountId, ids.map((id) => house.database.sealer.seal('secret', id))],
  )
  for (const id of ids) await findAccessKey(house.database, id)
  expect(accessKeysRemembered()).toBe(10_000)
}, 60_000)

test('another account’s key is not changed, and every change is in the log', async () => {
  const [accountId, stranger] = [await newAccount(), await newAccount()]
  const { accessKeyId } = await newKey(accountId)
  await expect(
    transaction((tx) => setAccessKeyActive(tx, { accountId: stranger, accessKeyId, active: false, actor: stranger })),
  ).rejects.toMatchObject({ code: 'NotFound' })
  await expect(
    transaction((tx) => deleteAccessKey(tx, { accountId: stranger, accessKeyId, actor: stranger })),
  ).rejects.toMatchObject({ code: 'NotFound' })
  expect(await findAccessKey(house.database, accessKeyId)).toMatchObject({ active: true })
  const set = (active: boolean) =>
    transaction((tx) => setAccessKeyActive(tx, { accountId, accessKeyId, active, actor: accountId }))
  await set(false)
  await set(false)
  await set(true)
  await transaction((tx) => deleteAccessKey(tx, { accountId, accessKeyId, actor: accountId }))
  const audit = await transaction((tx) => listAudit(tx, { accountId }))
  expect(audit.map((entry) => entry.action).toSorted()).toEqual([
    'access-key.activate',
    'access-key.create',
    'access-key.deactivate',
    'access-key.delete',
  ])
  expect(audit.every((entry) => entry.subject === accessKeyId && entry.actor === accountId)).toBe(true)
  expect(await transaction((tx) => listAudit(tx, { accountId: stranger }))).toEqual([])
})
