/** `turnpike account`: accounts, their access keys, sellers' bank accounts. For the operator at the machine. */
import type { Command } from 'commander'
import { systemActor, type AccessKey } from '../accounts/accounts.ts'
import { createAccessKey } from '../accounts/create-access-key.ts'
import { deleteAccessKey } from '../accounts/delete-access-key.ts'
import { listAccounts, requireAccount } from '../accounts/find-account.ts'
import { grantOperator } from '../accounts/grant-operator.ts'
import { listAccessKeys } from '../accounts/list-access-keys.ts'
import { setAccessKeyActive } from '../accounts/set-access-key-active.ts'
import { verifyBankAccount } from '../accounts/verify-bank-account.ts'
import { createPerson } from '../identity/create-person.ts'
import { print, table } from './output.ts'
import { askPassword } from './ask-password.ts'
import { readLimit } from './read-arguments.ts'
import { withHouse } from './with-house.ts'

export function addAccountCommands(program: Command): void {
  const account = program
    .command('account')
    .description('Accounts, access keys and sellers’ bank accounts.')
    .addHelpText(
      'after',
      '\nExamples:\n  turnpike account list\n  turnpike account create --email you@example.org --operator',
    )
  addCreate(account)
  addList(account)
  addShow(account)
  account
    .command('grant-operator')
    .description('Make an account an operator: it approves products and sees every account.')
    .argument('<account-id>')
    .addHelpText('after', '\nExample:\n  turnpike account grant-operator 123456789012')
    .action(async (accountId: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        await database.transaction((tx) => grantOperator(tx, { accountId, actor: systemActor }))
        print(json, { accountId, operator: true }, () => `${accountId} is an operator.`)
      })
    })
  account
    .command('verify-bank-account')
    .description('Record that a seller’s bank account is the seller’s: from then on it is paid.')
    .argument('<account-id>')
    .addHelpText('after', '\nExample:\n  turnpike account verify-bank-account 123456789012')
    .action(async (sellerAccountId: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const seller = await database.transaction((tx) =>
          verifyBankAccount(tx, { sellerAccountId, actor: systemActor }),
        )
        print(json, seller, () => `The bank account of ${seller.companyName} (${sellerAccountId}) is verified.`)
      })
    })
  addKeyCommands(account)
}

function addCreate(account: Command): void {
  account
    .command('create')
    .description('Make an account with a person who signs in, and its first access key.')
    .requiredOption('--email <address>', 'e-mail address, taken as verified')
    .option('--name <name>', 'name of the person or company; default the address')
    .option('--password <password>', 'password; asked for on a terminal when left out')
    .option('--operator', 'the account operates this service')
    .addHelpText(
      'after',
      `
Examples:
  turnpike account create --email you@example.org --operator
  turnpike account create --email shop@example.org --password "$PASSWORD" --json`,
    )
    .action(async (_options: unknown, command: Command) => {
      const options = command.opts<{ email: string; name?: string; password?: string; operator?: boolean }>()
      const password = options.password ?? (await askPassword())
      await withHouse(command, async ({ database }, json) => {
        const { account: made } = await createPerson(database, {
          email: options.email,
          name: options.name ?? options.email,
          password,
          operator: options.operator === true,
        })
        const key = await database.transaction((tx) =>
          createAccessKey(tx, { accountId: made.accountId, actor: systemActor }),
        )
        print(json, { ...made, ...key }, () =>
          [
            `Account ${made.accountId} (${made.email})${made.operator ? ', operator' : ''}`,
            `  Access key id      ${key.accessKeyId}`,
            `  Secret access key  ${key.secretAccessKey}   (shown this once)`,
          ].join('\n'),
        )
      })
    })
}

function addList(account: Command): void {
  account
    .command('list')
    .description('List accounts.')
    .option('--after <account-id>', 'continue behind this account')
    .option('--limit <n>', 'accounts at the most', readLimit, 100)
    .addHelpText('after', '\nExample:\n  turnpike account list --limit 20 --json')
    .action(async (options: { after?: string; limit: number }, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const accounts = await database.read((tx) => listAccounts(tx, options))
        print(json, accounts, () =>
          table(
            ['account', 'name', 'e-mail', 'operator', 'since'],
            accounts.map((one) => [
              one.accountId,
              one.name,
              one.email,
              one.operator ? 'yes' : '',
              one.createdAt.toISOString().slice(0, 10),
            ]),
            'There are no accounts yet. Make one with: turnpike account create --email you@example.org --operator',
          ),
        )
      })
    })
}

function addShow(account: Command): void {
  account
    .command('show')
    .description('Show an account and its access keys.')
    .argument('<account-id>')
    .addHelpText('after', '\nExample:\n  turnpike account show 123456789012')
    .action(async (accountId: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const { found, keys } = await database.read(async (tx) => ({
          found: await requireAccount(tx, accountId),
          keys: await listAccessKeys(tx, accountId),
        }))
        print(json, { ...found, accessKeys: keys }, () =>
          [
            `${found.accountId}  ${found.name} <${found.email}>${found.operator ? '  operator' : ''}`,
            keyTable(keys),
          ].join('\n'),
        )
      })
    })
}

function keyTable(keys: readonly AccessKey[]): string {
  const rows = keys.map((key) => [key.accessKeyId, key.active ? 'yes' : 'no', key.createdAt.toISOString().slice(0, 10)])
  return table(['access key', 'active', 'since'], rows, 'No access keys.')
}

function addKeyCommands(account: Command): void {
  const key = account
    .command('key')
    .description('Access keys of an account.')
    .addHelpText(
      'after',
      '\nExamples:\n  turnpike account key list 123456789012\n  turnpike account key create 123456789012 --json',
    )
  key
    .command('list')
    .description('List the access keys of an account, without their secrets.')
    .argument('<account-id>')
    .addHelpText('after', '\nExample:\n  turnpike account key list 123456789012')
    .action(async (accountId: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const keys = await database.read(async (tx) => {
          await requireAccount(tx, accountId)
          return await listAccessKeys(tx, accountId)
        })
        print(json, keys, () => keyTable(keys))
      })
    })
  key
    .command('create')
    .description('Make an access key; its secret is shown once.')
    .argument('<account-id>')
    .addHelpText('after', '\nExample:\n  turnpike account key create 123456789012')
    .action(async (accountId: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const made = await database.transaction((tx) => createAccessKey(tx, { accountId, actor: systemActor }))
        print(json, made, () => `${made.accessKeyId}\n${made.secretAccessKey}   (shown this once)`)
      })
    })
  for (const [verb, active] of [
    ['activate', true],
    ['deactivate', false],
  ] as const) {
    key
      .command(verb)
      .description(`${verb === 'activate' ? 'Activate' : 'Deactivate'} an access key.`)
      .argument('<account-id>')
      .argument('<access-key-id>')
      .addHelpText('after', `\nExample:\n  turnpike account key ${verb} 123456789012 AKIA…`)
      .action(async (accountId: string, accessKeyId: string, _options: unknown, command: Command) => {
        await withHouse(command, async ({ database }, json) => {
          const changed = await database.transaction((tx) =>
            setAccessKeyActive(tx, { accountId, accessKeyId, active, actor: systemActor }),
          )
          print(json, changed, () => `${accessKeyId} is ${changed.active ? 'active' : 'inactive'}.`)
        })
      })
  }
  key
    .command('delete')
    .description('Delete an access key for good.')
    .argument('<account-id>')
    .argument('<access-key-id>')
    .addHelpText('after', '\nExample:\n  turnpike account key delete 123456789012 AKIA…')
    .action(async (accountId: string, accessKeyId: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        await database.transaction((tx) => deleteAccessKey(tx, { accountId, accessKeyId, actor: systemActor }))
        print(json, { accessKeyId, deleted: true }, () => `${accessKeyId} is deleted.`)
      })
    })
}
