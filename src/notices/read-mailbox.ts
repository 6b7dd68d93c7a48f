import { Fault } from '../base/fault.ts'
import { isUuid } from '../base/ids.ts'
import type { Transaction } from '../database/database.ts'
import type { Mail } from './notices.ts'
import { selectMail, selectMails } from './store.ts'

/**
 * Mails, latest first.
 *
 * @param page.before id of a mail: continue with those written before it
 * @param page.recipient only mails to this address, whatever its case
 * @throws Fault InvalidParameter when `before` is no mail id
 */
export async function listMails(
  tx: Transaction,
  page: { limit: number; before?: string; recipient?: string },
): Promise<Mail[]> {
  if (page.before !== undefined && !isUuid(page.before)) {
    throw new Fault('InvalidParameter', `"${page.before}" is not the id of a mail.`, { data: { parameter: 'before' } })
  }
  return await selectMails(tx, {
    ...page,
    ...(page.recipient === undefined ? {} : { recipient: page.recipient.trim().toLowerCase() }),
  })
}

export async function findMail(tx: Transaction, mailId: string): Promise<Mail | undefined> {
  return isUuid(mailId) ? await selectMail(tx, mailId) : undefined
}
