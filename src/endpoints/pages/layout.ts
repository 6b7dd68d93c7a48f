/** The frame of every page: title, navigation by what the signed-in account is, content, footer. */
import type { Account } from '../../accounts/accounts.ts'
import { html, type Markup } from '../../http/markup.ts'
import { styleSheetPath } from './style.ts'

/** Who a page is drawn for. */
export interface Reader {
  readonly account: Account
  readonly name: string
  readonly seller: boolean
}

export interface Page {
  readonly title: string
  readonly content: Markup
  /** Path of the navigation entry the page belongs to. */
  readonly section?: string
  /** Undefined for pages anyone may see. */
  readonly reader?: Reader | undefined
  readonly narrow?: boolean
  /** It is not known who asks: neither a name nor an offer to sign in. */
  readonly nameless?: boolean
}

const sections: readonly { path: string; label: string; shown: (reader: Reader) => boolean }[] = [
  { path: '/billing', label: 'Application Billing', shown: () => true },
  { path: '/activation', label: 'Activation', shown: () => true },
  { path: '/seller', label: 'Seller activity', shown: () => true },
  { path: '/account', label: 'Account', shown: () => true },
  { path: '/operator', label: 'Operator', shown: ({ account }) => account.operator },
]

/** The whole document. */
export function drawPage({ title, content, section, reader, narrow, nameless }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Turnpike</title>
        <link rel="stylesheet" href="${styleSheetPath}" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <div>
            <a class="brand" href="/">Turnpike</a>
            ${reader !== undefined && drawNavigation(reader, section)}
            ${nameless !== true && html`<div class="who">${reader === undefined ? html`<a href="/sign-in">Sign in</a>` : drawWho(reader)}</div>`}
          </div>
        </header>
        <main id="content" ${narrow === true && html` class="narrow"`}>${content}</main>
        <footer>
          <div>All times are UTC. Amounts are exact to the cent; bills are made for calendar months.</div>
        </footer>
      </body>
    </html>`.toString()
}

function drawNavigation(reader: Reader, section: string | undefined): Markup {
  const shown = sections.filter((one) => one.shown(reader))
  return html`<nav aria-label="Main">
    <ul>
      ${shown.map(
        ({ path, label }) =>
          html`<li><a href="${path}" ${path === section && html` aria-current="page"`}>${label}</a></li>`,
      )}
    </ul>
  </nav>`
}

function drawWho(reader: Reader): Markup {
  return html`<span>${reader.name} · <span class="mono">${reader.account.accountId}</span></span>
    <form class="inline" method="post" action="/sign-out"><button class="link">Sign out</button></form>`
}
