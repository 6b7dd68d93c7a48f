import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import type { Transaction } from '../database/database.ts'
import { createAccount } from './create-account.ts'
import { ensureSeller, findSeller } from './ensure-seller.ts'
import { findAccount, listAccounts } from './find-account.ts'
import { grantOperator } from './grant-operator.ts'
import { linkProcessorAccount } from './link-processor-account.ts'
import { listAudit } from './record-audit.ts'
import { verifyBankAccount } from './verify-bank-account.ts'

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

const transaction = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => house.database.transaction(work)

test('an account has twelve digits, its e-mail in lower case, and is found again', async () => {
  const account = await transaction((tx) => createAccount(tx, { name: ' Anna ', email: 'Anna@Example.COM' }))
  expect(account).toMatchObject({ name: 'Anna', email: 'anna@example.com', emailVerified: false, operator: false })
  expect(account.accountId).toMatch(/^[1-9]\d{11}$/)
  expect(account.createdAt).toEqual(new Date('2026-06-01T00:00:00Z'))
  expect(await transaction((tx) => findAccount(tx, account.accountId))).toEqual(account)
  expect(await transaction((tx) => findAccount(tx, '999999999999'))).toBeUndefined()
})

test.each([
  { name: '', email: 'a@example.com', parameter: 'name' },
  { name: 'x'.repeat(201), email: 'a@example.com', parameter: 'name' },
  { name: 'two\nlines', email: 'a@example.com', parameter: 'name' },
  { name: 'A', email: 'not an address', parameter: 'email' },
  { name: 'A', email: `${'a'.repeat(250)}@example.com`, parameter: 'email' },
])('refuses $parameter that cannot be one', async ({ name, email, parameter }) => {
  const before = (await transaction((tx) => listAccounts(tx, { limit: 1000 }))).length
  await expect(transaction((tx) => createAccount(tx, { name, email }))).rejects.toMatchObject({
    code: 'InvalidParameter',
    data: { parameter },
  })
  expect(await transaction((tx) => listAccounts(tx, { limit: 1000 }))).toHaveLength(before)
})

test('accounts are listed in pages, each once', async () => {
  for (let index = 0; index < 5; index += 1) {
    await transaction((tx) => createAccount(tx, { name: `Page ${index}`, email: `page${index}@example.com` }))
  }
  const all = await transaction((tx) => listAccounts(tx))
  const paged: string[] = []
  for (;;) {
    const after = paged.at(-1)
    const page = await transaction((tx) => listAccounts(tx, { limit: 2, ...(after && { after }) }))
    if (page.length === 0) break
    paged.push(...page.map((account) => account.accountId))
  }
  expect(paged).toEqual(all.map((account) => account.accountId))
})

test('only an operator, or the system, makes an operator; twice is once', async () => {
  const anna = await transaction((tx) => createAccount(tx, { name: 'Anna', email: 'anna@example.com' }))
  const { accountId } = anna
  await expect(transaction((tx) => grantOperator(tx, { accountId, actor: accountId }))).rejects.toMatchObject({
    code: 'Forbidden',
  })
  await expect(
    transaction((tx) => grantOperator(tx, { accountId: '999999999999', actor: 'system' })),
  ).rejects.toMatchObject({ code: 'NotFound' })
  expect(await transaction((tx) => grantOperator(tx, { accountId, actor: 'system' }))).toMatchObject({ operator: true })
  expect(await transaction((tx) => grantOperator(tx, { accountId, actor: accountId }))).toMatchObject({
    operator: true,
  })
  const audit = await transaction((tx) => listAudit(tx, { accountId }))
  expect(audit).toMatchObject([{ actor: 'system', action: 'account.grant-operator', subject: accountId }])
})

test('a seller needs a verified e-mail address, and is made once however many registrations race', async () => {
  const unverified = await transaction((tx) => createAccount(tx, { name: 'U', email: 'u@example.com' }))
  await expect(
    transaction((tx) => ensureSeller(tx, { accountId: unverified.accountId, companyName: 'U Ltd' })),
  ).rejects.toMatchObject({ code: 'Forbidden' })
  const account = await transaction((tx) =>
    createAccount(tx, { name: 'V', email: 'v@example.com', emailVerified: true }),
  )
  const { accountId } = account
  const made = await Promise.all(
    Array.from({ length: 4 }, () => transaction((tx) => ensureSeller(tx, { accountId, companyName: 'V Ltd' }))),
  )
  for (const seller of made) {
    expect(seller).toMatchObject({ sellerAccountId: accountId, companyName: 'V Ltd', bankAccountVerified: false })
  }
  const actions = (await transaction((tx) => listAudit(tx, { accountId }))).map((entry) => entry.action)
  expect(actions).toEqual(['seller.create'])
  expect(await transaction((tx) => ensureSeller(tx, { accountId, companyName: 'Other' }))).toEqual(made[0])
})

test('a bank account is verified by an operator, once; the processor’s account is linked once', async () => {
  const { accountId } = await transaction((tx) =>
    createAccount(tx, { name: 'S', email: 's@example.com', emailVerified: true }),
  )
  const verify = (actor: string) => transaction((tx) => verifyBankAccount(tx, { sellerAccountId: accountId, actor }))
  await expect(verify('system')).rejects.toMatchObject({ code: 'NotFound' })
  await transaction((tx) => ensureSeller(tx, { accountId, companyName: 'S Ltd' }))
  await expect(verify(accountId)).rejects.toMatchObject({ code: 'Forbidden' })
  expect(await transaction((tx) => findSeller(tx, accountId))).toMatchObject({ bankAccountVerified: false })
  await verify('system')
  expect(await verify('system')).toMatchObject({ bankAccountVerified: true })

  const link = (processorAccountId: string) =>
    transaction((tx) => linkProcessorAccount(tx, { sellerAccountId: accountId, processorAccountId, actor: 'system' }))
  await link('acct_1')
  expect(await link('acct_1')).toMatchObject({ processorAccountId: 'acct_1' })
  await expect(link('acct_2')).rejects.toMatchObject({ code: 'Conflict' })
  const actions = (await transaction((tx) => listAudit(tx, { accountId }))).map((entry) => entry.action).toSorted()
  expect(actions).toEqual(['seller.create', 'seller.link-processor-account', 'seller.verify-bank-account'])
})
