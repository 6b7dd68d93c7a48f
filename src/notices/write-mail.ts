import { publicUrlOf } from '../base/config.ts'
import { newUuid } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { htmlBody, textBody } from './mail-body.ts'
import type { MailContent } from './notices.ts'
import { insertMail } from './store.ts'

/** What is told, to whom, and of which fact. */
export interface NewMail extends MailContent {
  /** Names the fact, such as `invoice:<id>:failed:2`. The first mail of a reference is the only one. */
  readonly reference: string
  readonly kind: string
  readonly accountId?: string
  readonly recipient: string
}

const subjectLengthMax = 200

/**
 * Writes a mail into the outbox, in the transaction of the fact it tells: it exists when the fact does. Where a mail server is
 * configured it is sent soon after; otherwise the mailbox inside the service is its destination.
 *
 * Writing of the same reference again is nothing, whatever it would say.
 *
 * @throws Error when the recipient is not one plain address or the action leads anywhere but to a web page
 */
export async function writeMail(tx: Transaction, mail: NewMail): Promise<void> {
  if (!/^[^\s<>,;"]+@[^\s<>,;"]+$/.test(mail.recipient)) throw new Error('a mail goes to one plain address')
  if (mail.action !== undefined && !/^https?:\/\//.test(mail.action.url)) {
    throw new Error('a mail links to web pages only')
  }
  // Names of products stand in subjects, and a subject is one line.
  const subject = mail.subject
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, subjectLengthMax)
  const content = { ...mail, subject }
  const publicUrl = publicUrlOf(tx.config)
  const mailId = newUuid()
  const written = await insertMail(tx, {
    mailId,
    reference: mail.reference,
    kind: mail.kind,
    ...(mail.accountId === undefined ? {} : { accountId: mail.accountId }),
    recipient: mail.recipient,
    subject,
    textBody: textBody(content, publicUrl),
    htmlBody: htmlBody(content, publicUrl),
    createdAt: tx.now,
  })
  if (written && tx.config.smtpUrl !== undefined) await enqueue(tx, 'mail.send', { mailId })
}
