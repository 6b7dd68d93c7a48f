/** The hosted page as HTML: one form, no script. What was typed into it is never printed back, the name apart. */
import { createHash } from 'node:crypto'
import { Markup, html } from '../http/markup.ts'
import { testCards } from './test-cards.ts'

const style = `
  :root { color-scheme: light dark; --line: #8885; --accent: #1f5fbf; --bad: #b3261e }
  * { box-sizing: border-box }
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: flex; justify-content: center; padding: 2rem 1rem }
  main { width: 100%; max-width: 30rem }
  h1 { font-size: 1.4rem; margin: 0 0 .25rem }
  .note { margin: 0 0 1.5rem; opacity: .75; font-size: .9rem }
  label { display: block; margin: 0 0 1rem; font-weight: 600 }
  input { display: block; width: 100%; margin-top: .25rem; padding: .6rem .7rem; font: inherit; border: 1px solid var(--line); border-radius: 6px; background: transparent; color: inherit }
  input:focus-visible, button:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
  .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }
  button { width: 100%; padding: .7rem; font: inherit; font-weight: 600; border: 0; border-radius: 6px; background: var(--accent); color: #fff; cursor: pointer }
  .problem { border-left: 4px solid var(--bad); padding: .5rem .75rem; margin: 0 0 1.25rem; background: #b3261e1a }
  .cancel { display: block; text-align: center; margin: 1rem 0 2rem }
  table { width: 100%; border-collapse: collapse; font-size: .875rem; margin-top: .5rem }
  caption { text-align: left; padding-bottom: .25rem }
  th, td { text-align: left; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
  td:first-child { font-family: ui-monospace, monospace; white-space: nowrap }
`

/** Apart from the templates: the policy allows these very bytes, and a formatter must not move them. */
const styleElement = new Markup(`<style>${style}</style>`)
const styleHash = createHash('sha256').update(style).digest('base64')

/**
 * @param returnOrigin where the form's answer may lead; browsers hold redirects of a form to its policy
 */
export function contentSecurityPolicy(returnOrigin?: string): string {
  const target = returnOrigin === undefined ? "'none'" : `'self' ${returnOrigin}`
  return `default-src 'none'; style-src 'sha256-${styleHash}'; form-action ${target}; base-uri 'none'; frame-ancestors 'none'`
}

function page(title: string, body: Markup): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${styleElement}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`.toString()
}

/** @param view.problem why the last try failed */
export function cardFormPage(view: { problem?: string; name?: string; cancelUrl: string | null }): string {
  return page(
    'Enter your card',
    html`<h1>Enter your card</h1>
      <p class="note">Payment sandbox: no real cards, no money moves. The card number is not kept.</p>
      ${view.problem !== undefined && html`<p class="problem" role="alert" id="problem">${view.problem}</p>`}
      <form method="post" autocomplete="on">
        <label
          >Card number
          <input
            name="number"
            required
            inputmode="numeric"
            autocomplete="cc-number"
            maxlength="30"
            placeholder="4242 4242 4242 4242"
            autofocus
        /></label>
        <div class="pair">
          <label
            >Expires
            <input
              name="expires"
              required
              inputmode="numeric"
              autocomplete="cc-exp"
              maxlength="9"
              placeholder="MM / YY"
          /></label>
          <label
            >Security code
            <input name="cvc" required inputmode="numeric" autocomplete="cc-csc" maxlength="4" placeholder="CVC"
          /></label>
        </div>
        <label
          >Name on card <input name="name" autocomplete="cc-name" maxlength="200" value="${view.name ?? ''}"
        /></label>
        <button>Save card</button>
      </form>
      ${view.cancelUrl !== null && html`<a class="cancel" href="${view.cancelUrl}">Cancel and go back</a>`}
      ${testCardHelp()}`,
  )
}

function testCardHelp(): Markup {
  const rows = testCards.map(
    (card) =>
      html`<tr>
        <td>${card.number.replace(/(\d{4})(?=\d)/g, '$1 ')}</td>
        <td>${card.about}</td>
      </tr>`,
  )
  return html`<details open>
    <summary>Test cards</summary>
    <table>
      <caption>
        Any future month and year, any three digits (four for American Express).
      </caption>
      <thead>
        <tr>
          <th scope="col">Number</th>
          <th scope="col">What happens</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </details>`
}

/** A page that only says something. */
export function messagePage(title: string, sentence: string, back: string | null): string {
  return page(
    title,
    html`<h1>${title}</h1>
      <p>${sentence}</p>
      ${back !== null && html`<a href="${back}">Go back</a>`}`,
  )
}
