/** Hands mails of the outbox to the mail server. */
import { createTransport } from 'nodemailer'
import type { Config } from '../base/config.ts'
import type { Log } from '../base/telemetry.ts'
import type { Database } from '../database/database.ts'
import type { Mail } from './notices.ts'
import { markSent, selectMail } from './store.ts'

/** The way out for mails. */
export interface MailSender {
  /** Ends when the mail server took the mail; throws when it did not. */
  send(mail: Mail): Promise<void>
  close(): void
}

const connectTimeoutMs = 10_000
const silenceTimeoutMs = 30_000

/** @returns undefined where no mail server is configured: mails then stay in the mailbox inside the service */
export function createMailSender(config: Config, log: Log): MailSender | undefined {
  if (config.smtpUrl === undefined) return undefined
  const domain = /@([^\s<>@]+)>?\s*$/.exec(config.mailFrom)?.[1] ?? 'turnpike'
  const transport = createTransport({
    url: config.smtpUrl,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: silenceTimeoutMs,
    // A mail is text we wrote: nothing in it may make the mailer read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail) {
      await transport.sendMail({
        from: config.mailFrom,
        to: mail.recipient,
        subject: mail.subject,
        text: mail.textBody,
        html: mail.htmlBody,
        // From the mail's own id: one that was sent twice, by a crash between sending and noting it, is recognised.
        messageId: `<${mail.mailId}@${domain}>`,
        date: mail.createdAt,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
      log.info({ mailId: mail.mailId, kind: mail.kind }, 'mail sent')
    },
    close: () => transport.close(),
  }
}

/**
 * The handler of 'mail.send'. A mail that was sent is not sent again; one that the mail server did not take is left for the
 * next try.
 *
 * @param sender undefined where no mail server is configured (any more): the mail stays in the mailbox
 * @throws whatever the mail server or the way to it said
 */
export async function sendMail(db: Database, sender: MailSender | undefined, mailId: string): Promise<void> {
  const mail = await db.read((tx) => selectMail(tx, mailId))
  if (sender === undefined || mail === undefined || mail.sentAt !== undefined) return
  // Outside a transaction: a slow mail server must not hold one open.
  await sender.send(mail)
  if (!(await db.transaction((tx) => markSent(tx, mailId)))) db.log.warn({ mailId }, 'a mail was sent twice')
}
