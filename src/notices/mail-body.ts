/** The two forms of a mail: plain text, and HTML that is one readable column in any client, without images or scripts. */
import { html, type Markup } from '../http/markup.ts'
import type { MailContent } from './notices.ts'

const footer = 'This mail was sent by Turnpike'

/** @param publicUrl where the service is reached; stands under every mail */
export function textBody(content: MailContent, publicUrl: string): string {
  const parts = [...content.paragraphs]
  if (content.table !== undefined && content.table.length > 0) {
    parts.push(content.table.map(([name, value]) => `  ${name}: ${value}`).join('\n'))
  }
  if (content.action !== undefined) parts.push(`${content.action.label}:\n${content.action.url}`)
  return `${parts.join('\n\n')}\n\n-- \n${footer}, ${publicUrl}\n`
}

const page = 'margin:0;padding:24px 12px;background:#f4f4f4;color:#16191f;font:16px/1.5 system-ui,sans-serif'
const column = 'max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d5dbdb'
const button =
  'display:inline-block;padding:10px 20px;background:#0b5cad;color:#ffffff;text-decoration:none;font-weight:bold'
const cell = 'padding:6px 12px 6px 0;border-bottom:1px solid #d5dbdb;text-align:left;vertical-align:top'
const quiet = 'max-width:600px;margin:16px auto 0;color:#545b64;font-size:14px'

/** Every text is escaped; contrast is at least 5:1; tables of figures have row headers. */
export function htmlBody(content: MailContent, publicUrl: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${content.subject}</title>
      </head>
      <body style="${page}">
        <main style="${column}">
          <h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">${content.subject}</h1>
          ${content.paragraphs.map((text) => html`<p style="margin:0 0 16px">${text}</p>`)}
          ${content.table !== undefined && content.table.length > 0 && figures(content.table)}
          ${content.action !== undefined && doThis(content.action)}
        </main>
        <p style="${quiet}">${footer}, <a style="color:#545b64" href="${publicUrl}">${publicUrl}</a></p>
      </body>
    </html>`.toString()
}

function figures(rows: readonly (readonly [string, string])[]): Markup {
  const row = ([name, value]: readonly [string, string]): Markup =>
    html`<tr>
      <th scope="row" style="${cell};font-weight:normal">${name}</th>
      <td style="${cell};text-align:right">${value}</td>
    </tr>`
  return html`<table style="width:100%;border-collapse:collapse;margin:0 0 16px">
    <tbody>
      ${rows.map(row)}
    </tbody>
  </table>`
}

/** The address stands below the button too, for clients that show no links and people who want to read it first. */
function doThis(action: { label: string; url: string }): Markup {
  return html`<p style="margin:24px 0 12px"><a style="${button}" href="${action.url}">${action.label}</a></p>
    <p style="margin:0;font-size:14px;color:#545b64;overflow-wrap:anywhere">${action.url}</p>`
}
