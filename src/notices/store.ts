/** The SQL of the outbox. */
import { empty, sql, type Transaction } from '../database/database.ts'
import type { Mail } from './notices.ts'

interface MailRow {
  mail_id: string
  reference: string
  kind: string
  account_id: string | null
  recipient: string
  subject: string
  text_body: string
  html_body: string
  created_at: Date
  sent_at: Date | null
}

const columns = sql`mail_id, reference, kind, account_id, recipient, subject, text_body, html_body, created_at, sent_at`

/** @returns whether its fact was not told before */
export async function insertMail(tx: Transaction, mail: Mail): Promise<boolean> {
  const inserted = await tx.run(
    sql`insert into mail (mail_id, reference, kind, account_id, recipient, subject, text_body, html_body, created_at)
        values (${mail.mailId}, ${mail.reference}, ${mail.kind}, ${mail.accountId ?? null}, ${mail.recipient},
                ${mail.subject}, ${mail.textBody}, ${mail.htmlBody}, ${mail.createdAt})
        on conflict (reference) do nothing`,
  )
  return inserted === 1
}

export async function selectMail(tx: Transaction, mailId: string): Promise<Mail | undefined> {
  const row = await tx.first<MailRow>(sql`select ${columns} from mail where mail_id = ${mailId}`)
  return row && toMail(row)
}

/** @param page.before continue with mails written before this one */
export async function selectMails(
  tx: Transaction,
  page: { recipient?: string; before?: string; limit: number },
): Promise<Mail[]> {
  const { recipient, before, limit } = page
  const ofRecipient = recipient === undefined ? empty : sql`and lower(recipient) = ${recipient}`
  const beforeMail =
    before === undefined ? empty : sql`and number < (select number from mail where mail_id = ${before})`
  const rows = await tx.rows<MailRow>(
    sql`select ${columns} from mail where true ${ofRecipient} ${beforeMail} order by number desc limit ${limit}`,
  )
  return rows.map(toMail)
}

/** @returns whether it was not marked before */
export async function markSent(tx: Transaction, mailId: string): Promise<boolean> {
  return (await tx.run(sql`update mail set sent_at = ${tx.now} where mail_id = ${mailId} and sent_at is null`)) === 1
}

function toMail(row: MailRow): Mail {
  return {
    mailId: row.mail_id,
    reference: row.reference,
    kind: row.kind,
    ...(row.account_id === null ? {} : { accountId: row.account_id }),
    recipient: row.recipient,
    subject: row.subject,
    textBody: row.text_body,
    htmlBody: row.html_body,
    createdAt: row.created_at,
    ...(row.sent_at === null ? {} : { sentAt: row.sent_at }),
  }
}
