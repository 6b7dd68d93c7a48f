/** The SQL of accounts, sellers, access keys and the audit log. */
import type { Pool } from 'pg'
import { sql, type Transaction } from '../database/database.ts'
import type { AccessKey, Account, AuditEntry, Seller } from './accounts.ts'

interface AccountRow {
  account_id: string
  name: string
  email: string
  email_verified: boolean
  operator: boolean
  created_at: Date
}

const accountColumns = sql`account_id, name, email, email_verified, operator, created_at`

/** @returns undefined when the id is taken */
export async function insertAccount(tx: Transaction, account: Account): Promise<Account | undefined> {
  const row = await tx.first<AccountRow>(
    sql`insert into account (account_id, name, email, email_verified, operator, created_at)
        values (${account.accountId}, ${account.name}, ${account.email}, ${account.emailVerified}, ${account.operator},
                ${account.createdAt})
        on conflict (account_id) do nothing
        returning ${accountColumns}`,
  )
  return row && toAccount(row)
}

export async function selectAccount(tx: Transaction, accountId: string): Promise<Account | undefined> {
  const row = await tx.first<AccountRow>(sql`select ${accountColumns} from account where account_id = ${accountId}`)
  return row && toAccount(row)
}

/** Holds the account against other changes of its keys; what refers to it by foreign key goes on. */
export async function lockAccount(tx: Transaction, accountId: string): Promise<Account | undefined> {
  const row = await tx.first<AccountRow>(
    sql`select ${accountColumns} from account where account_id = ${accountId} for no key update`,
  )
  return row && toAccount(row)
}

export async function selectAccounts(tx: Transaction, after: string, limit: number): Promise<Account[]> {
  const rows = await tx.rows<AccountRow>(
    sql`select ${accountColumns} from account where account_id > ${after} order by account_id limit ${limit}`,
  )
  return rows.map(toAccount)
}

export async function selectHasOperator(tx: Transaction): Promise<boolean> {
  const { found } = await tx.one<{ found: boolean }>(sql`select exists (select from account where operator) as found`)
  return found
}

/** @returns whether it was none before */
export async function setOperator(tx: Transaction, accountId: string): Promise<boolean> {
  return (await tx.run(sql`update account set operator = true where account_id = ${accountId} and not operator`)) === 1
}

interface AccessKeyRow {
  access_key_id: string
  account_id: string
  active: boolean
  created_at: Date
}

const accessKeyColumns = sql`access_key_id, account_id, active, created_at`

export async function insertAccessKey(tx: Transaction, key: AccessKey, secretSealed: Buffer): Promise<void> {
  await tx.run(
    sql`insert into access_key (access_key_id, account_id, secret_sealed, active, created_at)
        values (${key.accessKeyId}, ${key.accountId}, ${secretSealed}, ${key.active}, ${key.createdAt})`,
  )
}

export async function selectAccessKeys(tx: Transaction, accountId: string): Promise<AccessKey[]> {
  const rows = await tx.rows<AccessKeyRow>(
    sql`select ${accessKeyColumns} from access_key where account_id = ${accountId} order by created_at, access_key_id`,
  )
  return rows.map(toAccessKey)
}

export async function selectAccessKey(
  tx: Transaction,
  accountId: string,
  accessKeyId: string,
): Promise<AccessKey | undefined> {
  const row = await tx.first<AccessKeyRow>(
    sql`select ${accessKeyColumns} from access_key where account_id = ${accountId} and access_key_id = ${accessKeyId}`,
  )
  return row && toAccessKey(row)
}

/** @returns whether it was the other way before */
export async function updateAccessKeyActive(
  tx: Transaction,
  accountId: string,
  accessKeyId: string,
  active: boolean,
): Promise<boolean> {
  const changed = await tx.run(
    sql`update access_key set active = ${active}
         where account_id = ${accountId} and access_key_id = ${accessKeyId} and active <> ${active}`,
  )
  return changed === 1
}

/** @returns whether there was one */
export async function removeAccessKey(tx: Transaction, accountId: string, accessKeyId: string): Promise<boolean> {
  const removed = await tx.run(
    sql`delete from access_key where account_id = ${accountId} and access_key_id = ${accessKeyId}`,
  )
  return removed === 1
}

export interface SealedKeyRow {
  account_id: string
  operator: boolean
  active: boolean
  secret_sealed: Buffer
}

/** One statement on any connection, prepared once on each: this is asked for signed requests. */
export async function selectSealedKey(pool: Pool, accessKeyId: string): Promise<SealedKeyRow | undefined> {
  const { rows } = await pool.query<SealedKeyRow>({
    name: 'find-access-key',
    text: `select access_key.account_id, account.operator, access_key.active, access_key.secret_sealed
             from access_key join account on account.account_id = access_key.account_id
            where access_key.access_key_id = $1`,
    values: [accessKeyId],
  })
  return rows[0]
}

interface SellerRow {
  seller_account_id: string
  company_name: string
  bank_account_verified: boolean
  processor_account_id: string | null
  created_at: Date
}

const sellerColumns = sql`seller_account_id, company_name, bank_account_verified, processor_account_id, created_at`

/** @returns whether there was none before */
export async function insertSeller(tx: Transaction, sellerAccountId: string, companyName: string): Promise<boolean> {
  const inserted = await tx.run(
    sql`insert into seller (seller_account_id, company_name, created_at)
        values (${sellerAccountId}, ${companyName}, ${tx.now})
        on conflict (seller_account_id) do nothing`,
  )
  return inserted === 1
}

export async function selectSeller(tx: Transaction, sellerAccountId: string): Promise<Seller | undefined> {
  const row = await tx.first<SellerRow>(
    sql`select ${sellerColumns} from seller where seller_account_id = ${sellerAccountId}`,
  )
  return row && toSeller(row)
}

/** @returns whether it was not verified before */
export async function setBankAccountVerified(tx: Transaction, sellerAccountId: string): Promise<boolean> {
  const changed = await tx.run(
    sql`update seller set bank_account_verified = true
         where seller_account_id = ${sellerAccountId} and not bank_account_verified`,
  )
  return changed === 1
}

/** @returns whether there was none before */
export async function setProcessorAccount(
  tx: Transaction,
  sellerAccountId: string,
  processorAccountId: string,
): Promise<boolean> {
  const changed = await tx.run(
    sql`update seller set processor_account_id = ${processorAccountId}
         where seller_account_id = ${sellerAccountId} and processor_account_id is null`,
  )
  return changed === 1
}

interface AuditRow {
  account_id: string
  audit_id: string
  at: Date
  actor: string
  action: string
  subject: string
  detail: Record<string, unknown>
}

export async function insertAuditEntry(tx: Transaction, entry: AuditEntry): Promise<void> {
  await tx.run(
    sql`insert into audit_entry (account_id, audit_id, at, actor, action, subject, detail)
        values (${entry.accountId}, ${entry.auditId}, ${entry.at}, ${entry.actor}, ${entry.action}, ${entry.subject},
                ${JSON.stringify(entry.detail)}::jsonb)`,
  )
}

export async function selectAuditEntries(tx: Transaction, accountId: string, limit: number): Promise<AuditEntry[]> {
  const rows = await tx.rows<AuditRow>(
    sql`select account_id, audit_id, at, actor, action, subject, detail
          from audit_entry where account_id = ${accountId} order by at desc, audit_id limit ${limit}`,
  )
  return rows.map((row) => ({
    accountId: row.account_id,
    auditId: row.audit_id,
    at: row.at,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    detail: row.detail,
  }))
}

function toAccount(row: AccountRow): Account {
  return {
    accountId: row.account_id,
    name: row.name,
    email: row.email,
    emailVerified: row.email_verified,
    operator: row.operator,
    createdAt: row.created_at,
  }
}

function toAccessKey(row: AccessKeyRow): AccessKey {
  return {
    accessKeyId: row.access_key_id,
    accountId: row.account_id,
    active: row.active,
    createdAt: row.created_at,
  }
}

function toSeller(row: SellerRow): Seller {
  return {
    sellerAccountId: row.seller_account_id,
    companyName: row.company_name,
    bankAccountVerified: row.bank_account_verified,
    ...(row.processor_account_id === null ? {} : { processorAccountId: row.processor_account_id }),
    createdAt: row.created_at,
  }
}
