/**
 * The SQL of people. Sessions are better-auth's alone; its tables of people, passwords and links are also written here, where one
 * transaction has to hold them together with the account, the mail and the audit entry.
 */
import type { Pool } from 'pg'
import { newUuid } from '../base/ids.ts'
import { sql, type Transaction } from '../database/database.ts'
import type { PendingSignUp, Person } from './identity.ts'

interface PersonRow {
  id: string
  email: string
  name: string
}

/** How better-auth calls a way in by e-mail and password. */
const passwordProvider = 'credential'

/** @returns undefined when there is one with this address, also when it is made at this moment */
export async function insertPerson(
  tx: Transaction,
  person: { email: string; name: string; passwordHash: string },
): Promise<Person | undefined> {
  const row = await tx.first<PersonRow>(
    sql`insert into identity."user" (id, name, email, "emailVerified")
        values (${newUuid()}, ${person.name}, ${person.email}, true)
        on conflict (email) do nothing
        returning id, email, name`,
  )
  if (row === undefined) return undefined
  await tx.run(
    sql`insert into identity.account (id, "accountId", "providerId", "userId", password, "updatedAt")
        values (${newUuid()}, ${row.id}, ${passwordProvider}, ${row.id}, ${person.passwordHash}, current_timestamp)`,
  )
  return toPerson(row)
}

export async function selectPersonByEmail(tx: Transaction, email: string): Promise<Person | undefined> {
  const row = await tx.first<PersonRow>(sql`select id, email, name from identity."user" where email = ${email}`)
  return row && toPerson(row)
}

export async function insertMember(tx: Transaction, accountId: string, personId: string): Promise<void> {
  await tx.run(
    sql`insert into account_member (account_id, person_id, created_at) values (${accountId}, ${personId}, ${tx.now})`,
  )
}

export async function selectAccountIdOf(tx: Transaction, personId: string): Promise<string | undefined> {
  const row = await tx.first<{ account_id: string }>(
    sql`select account_id from account_member where person_id = ${personId}`,
  )
  return row?.account_id
}

/** Ends every session of the person, so that a stolen one ends with the password it came from. */
export async function replacePassword(tx: Transaction, personId: string, passwordHash: string): Promise<void> {
  await tx.run(
    sql`update identity.account set password = ${passwordHash}, "updatedAt" = current_timestamp
         where "userId" = ${personId} and "providerId" = ${passwordProvider}`,
  )
  await tx.run(sql`delete from identity.session where "userId" = ${personId}`)
}

type LinkKind = 'sign-up' | 'password-reset'

/** @param tokenSha256 digest of the token in the link; the token itself is in the mail only */
export async function insertLink(
  tx: Transaction,
  link: { kind: LinkKind; tokenSha256: string; value: string; lengthS: number },
): Promise<void> {
  // Mails that nobody answered leave their links behind; each new one clears away a few that are over.
  await tx.run(
    sql`delete from identity.verification where id in
         (select id from identity.verification where "expiresAt" < current_timestamp limit 10 for update skip locked)`,
  )
  await tx.run(
    sql`insert into identity.verification (id, identifier, value, "expiresAt")
        values (${newUuid()}, ${identifierOf(link.kind, link.tokenSha256)}, ${link.value},
                current_timestamp + ${link.lengthS} * interval '1 second')`,
  )
}

export async function selectSignUp(tx: Transaction, tokenSha256: string): Promise<PendingSignUp | undefined> {
  const row = await tx.first<{ value: string }>(
    sql`select value from identity.verification
         where identifier = ${identifierOf('sign-up', tokenSha256)} and "expiresAt" > current_timestamp`,
  )
  return row && (JSON.parse(row.value) as PendingSignUp)
}

/** Takes a link, for one taker only, however many try. @returns its value, unless it is over or was taken */
export async function takeLink(tx: Transaction, kind: LinkKind, tokenSha256: string): Promise<string | undefined> {
  const row = await tx.first<{ value: string }>(
    sql`delete from identity.verification
         where identifier = ${identifierOf(kind, tokenSha256)} and "expiresAt" > current_timestamp
     returning value`,
  )
  return row?.value
}

/** The person's other reset links: one that was used shuts them all. */
export async function removeResetLinks(tx: Transaction, personId: string): Promise<void> {
  await tx.run(sql`delete from identity.verification where value = ${personId} and identifier like 'password-reset:%'`)
}

export async function selectPerson(tx: Transaction, personId: string): Promise<Person | undefined> {
  const row = await tx.first<PersonRow>(sql`select id, email, name from identity."user" where id = ${personId}`)
  return row && toPerson(row)
}

/**
 * Counts one attempt, at once and for all servers.
 *
 * @returns how many there were in the running window, this one included
 */
export async function countAttempt(pool: Pool, key: string, windowS: number): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `with over as (
       delete from identity.attempt where key in
        (select key from identity.attempt where ends_at < current_timestamp and key <> $1 limit 10 for update skip locked)
     )
     insert into identity.attempt as attempt (key, count, ends_at)
     values ($1, 1, current_timestamp + $2 * interval '1 second')
     on conflict (key) do update set
       count = case when attempt.ends_at < current_timestamp then 1 else least(attempt.count + 1, 1000000) end,
       ends_at = case when attempt.ends_at < current_timestamp then excluded.ends_at else attempt.ends_at end
     returning count`,
    [key, windowS],
  )
  return rows[0]?.count ?? 1
}

export async function forgetAttempts(pool: Pool, key: string): Promise<void> {
  await pool.query('delete from identity.attempt where key = $1', [key])
}

function identifierOf(kind: LinkKind, tokenSha256: string): string {
  return `${kind}:${tokenSha256}`
}

function toPerson(row: PersonRow): Person {
  return { personId: row.id, email: row.email, name: row.name }
}
