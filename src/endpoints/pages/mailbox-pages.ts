/** The mailbox inside the service: what was sent, or would be if there were a mail server. */
import type { FastifyInstance } from 'fastify'
import { Fault } from '../../base/fault.ts'
import { html, type Markup } from '../../http/markup.ts'
import { pagePolicy } from '../../http/security-headers.ts'
import type { Mail } from '../../notices/notices.ts'
import { findMail, listMails } from '../../notices/read-mailbox.ts'
import { facts, minute, table } from './figures.ts'
import { drawPage } from './layout.ts'
import { drawOperatorLinks, requireOperatorReader } from './operator-reader.ts'
import type { PagesHouse } from './pages.ts'
import { field, sendPage } from './reader.ts'

const mailsShown = 50

export function addMailboxPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/operator/mailbox', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const [before, recipient] = [field(request.query, 'before'), field(request.query, 'recipient').trim()]
    const mails = await database.read((tx) =>
      listMails(tx, {
        limit: mailsShown + 1,
        ...(before !== '' && { before }),
        ...(recipient !== '' && { recipient }),
      }),
    )
    const shown = mails.slice(0, mailsShown)
    const last = mails.length > mailsShown ? shown.at(-1) : undefined
    await sendPage(
      reply,
      drawPage({
        title: 'Mailbox',
        section: '/operator',
        reader,
        content: drawMails(shown, last, recipient),
      }),
    )
  })
  addMailPage(scope, house)
}

function drawMails(shown: readonly Mail[], last: Mail | undefined, recipient: string): Markup {
  return html`<h1>Mailbox</h1>
    ${drawOperatorLinks('/operator/mailbox')}
    <form class="row" method="get" action="/operator/mailbox">
      <label for="recipient">Recipient</label>
      <input id="recipient" name="recipient" type="email" value="${recipient}" autocomplete="off" />
      <button class="quiet">Show</button>
    </form>
    ${table({
      label: 'Mails, newest first',
      columns: [{ label: 'Written' }, { label: 'To' }, { label: 'Subject' }],
      rows: shown.map((mail) => [
        minute(mail.createdAt),
        mail.recipient,
        html`<a href="/operator/mailbox/${mail.mailId}">${mail.subject}</a>`,
      ]),
      empty: 'There are no mails.',
    })}
    ${
      last !== undefined &&
      html`<nav class="pages" aria-label="Pages">
        <a href="/operator/mailbox?before=${last.mailId}&amp;recipient=${encodeURIComponent(recipient)}">Older</a>
      </nav>`
    }`
}

function addMailPage(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get<{ Params: { mailId: string } }>('/operator/mailbox/:mailId', async (request, reply) => {
    const reader = await requireOperatorReader(house, request, reply)
    if (reader === undefined) return
    const mail = await database.read((tx) => findMail(tx, request.params.mailId))
    if (mail === undefined) throw new Fault('NotFound', 'There is no such mail.')
    // The mail's HTML stands in a frame without any rights; a framed document obeys this policy too, and mails carry their
    // look inline. Everything outside the frame is escaped, so nothing of a mail can use what is allowed here.
    reply.header('content-security-policy', pagePolicy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'"))
    await sendPage(
      reply,
      drawPage({
        title: mail.subject,
        section: '/operator',
        reader,
        content: html`<p class="back"><a href="/operator/mailbox">Mailbox</a></p>
          <h1>${mail.subject}</h1>
          ${facts([
            ['To', mail.recipient],
            ['Written', minute(mail.createdAt)],
            ['Kind', mail.kind],
          ])}
          <h2>As text</h2>
          <pre class="wrap" id="text-body" tabindex="0">${mail.textBody}</pre>
          <h2>As HTML</h2>
          <iframe class="mail" sandbox title="The mail as HTML" srcdoc="${mail.htmlBody}"></iframe>`,
      }),
    )
  })
}
