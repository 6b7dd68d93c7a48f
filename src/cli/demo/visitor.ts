/** A person at a browser without JavaScript: keeps cookies, follows redirects, fills in and sends forms. */
import { parse, type HTMLElement } from 'node-html-parser'

/** A page as the visitor sees it. */
export interface Page {
  readonly url: string
  readonly status: number
  readonly document: HTMLElement
  /** The visible text, white space folded. */
  readonly text: string
}

const redirectsMax = 10

/** One person with one browser. */
export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>()
  /** Addresses outside the service the visitor was sent to last, such as a seller's page after a purchase. */
  lastOutside: string | undefined
  readonly #inside: readonly string[]

  /** @param inside origins the visitor follows redirects to; others are only noted */
  constructor(inside: readonly string[]) {
    this.#inside = inside
  }

  async open(url: string): Promise<Page> {
    return await this.#request(url, { method: 'GET' })
  }

  /**
   * Sends the form that holds a button (or link-like submit) with the given label, with its own fields and the given ones.
   *
   * @throws Error naming the buttons there are, when none has the label
   */
  async press(page: Page, label: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const { form, button } = findButton(page, label)
    const values = new URLSearchParams()
    for (const input of form.querySelectorAll('input, textarea, select')) {
      const name = input.getAttribute('name')
      const type = input.getAttribute('type') ?? 'text'
      if (name === undefined || name in fields || type === 'submit') continue
      if ((type === 'checkbox' || type === 'radio') && input.getAttribute('checked') === undefined) continue
      values.append(name, input.getAttribute('value') ?? (type === 'checkbox' ? 'on' : input.textContent))
    }
    for (const [name, value] of Object.entries(fields)) values.append(name, value)
    const buttonName = button.getAttribute('name')
    if (buttonName !== undefined) values.append(buttonName, button.getAttribute('value') ?? '')
    const action = new URL(form.getAttribute('action') ?? '', page.url)
    if ((form.getAttribute('method') ?? 'get').toLowerCase() !== 'post') {
      action.search = values.toString()
      return await this.open(action.href)
    }
    return await this.#request(action.href, { method: 'POST', body: values })
  }

  /** Follows the link with the given text. */
  async follow(page: Page, label: string): Promise<Page> {
    const link = page.document.querySelectorAll('a').find((one) => fold(one.textContent) === label)
    const href = link?.getAttribute('href')
    if (href === undefined) throw new Error(`no link "${label}" on ${page.url}: ${page.text.slice(0, 300)}`)
    return await this.open(new URL(href, page.url).href)
  }

  async #request(first: string, init: { method: string; body?: URLSearchParams }): Promise<Page> {
    let url = first
    let { method, body }: { method: string; body?: URLSearchParams } = init
    for (let hop = 0; hop <= redirectsMax; hop += 1) {
      const { origin } = new URL(url)
      if (!this.#inside.includes(origin)) {
        this.lastOutside = url
        return { url, status: 0, document: parse(''), text: '' }
      }
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: { cookie: this.#cookieHeader(origin), accept: 'text/html', origin },
        ...(body !== undefined && { body }),
      })
      this.#keepCookies(origin, response.headers.getSetCookie())
      const location = response.headers.get('location')
      if (location === null || response.status < 300 || response.status >= 400) {
        const document = parse(await response.text())
        return {
          url,
          status: response.status,
          document,
          text: fold(document.querySelector('main')?.textContent ?? document.textContent),
        }
      }
      await response.body?.cancel()
      url = new URL(location, url).href
      if (response.status !== 307 && response.status !== 308) {
        method = 'GET'
        body = undefined as never
      }
    }
    throw new Error(`more than ${redirectsMax} redirects from ${first}`)
  }

  #cookieHeader(origin: string): string {
    return [...(this.#cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keepCookies(origin: string, lines: readonly string[]): void {
    const jar = this.#cookies.get(origin) ?? new Map<string, string>()
    this.#cookies.set(origin, jar)
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';')
      const at = pair.indexOf('=')
      const name = pair.slice(0, at).trim()
      const gone = attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))
      if (gone) jar.delete(name)
      else jar.set(name, pair.slice(at + 1).trim())
    }
  }
}

function findButton(page: Page, label: string): { form: HTMLElement; button: HTMLElement } {
  const buttons = page.document
    .querySelectorAll('form')
    .flatMap((form) => form.querySelectorAll('button, input[type=submit]').map((button) => ({ form, button })))
  const found = buttons.find(({ button }) => labelOf(button) === label)
  if (found !== undefined) return found
  const labels = buttons.map(({ button }) => `"${labelOf(button)}"`).join(', ')
  throw new Error(
    `no button "${label}" on ${page.url} (there are: ${labels || 'none'}); the page says: ${page.text.slice(0, 400)}`,
  )
}

function labelOf(button: HTMLElement): string {
  return fold(
    button.getAttribute('value') !== undefined && button.tagName === 'INPUT'
      ? (button.getAttribute('value') ?? '')
      : button.textContent,
  )
}

function fold(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
