/** A buyer at a browser: signs up, buys, changes cards, all by the pages' own forms. */
import { randomBytes } from 'node:crypto'
import type { Service } from '../../main.ts'
import { RestClient } from './rest-client.ts'
import type { Person } from './story.ts'
import { Visitor, type Page } from './visitor.ts'

interface Mail {
  readonly subject: string
  readonly textBody: string
}

const pollMs = 20
const patienceMs = 20_000

export class Buyer {
  readonly name: string
  readonly person: Person
  readonly rest: RestClient
  readonly #service: Service
  readonly #operator: RestClient
  readonly #visitor: Visitor

  private constructor(service: Service, operator: RestClient, visitor: Visitor, name: string, person: Person) {
    this.#service = service
    this.#operator = operator
    this.#visitor = visitor
    this.name = name
    this.person = person
    this.rest = new RestClient(service.url, person)
  }

  /** Makes an account: the sign-up form, the link in the mail, an access key from the account page. */
  static async signUp(service: Service, operator: RestClient, email: string, name: string): Promise<Buyer> {
    const password = randomBytes(9).toString('base64url')
    const visitor = new Visitor([service.url])
    const form = await visitor.open(`${service.url}/sign-up?continue=/account`)
    await visitor.press(form, 'Make an account', { name, email, password })
    const mail = await lastMail(operator, email)
    const link = /https?:\/\/\S+\/verify-email\?\S+/.exec(mail.textBody)?.[0]
    if (link === undefined) throw new Error(`no link to confirm the address in: ${mail.textBody}`)
    const account = await visitor.open(link)
    const withKey = await visitor.press(account, 'Make an access key')
    return new Buyer(service, operator, visitor, name, {
      email,
      password,
      accountId: textOf(withKey, 'dl.facts dd.mono'),
      accessKeyId: textOf(withKey, '#access-key-id'),
      secretAccessKey: textOf(withKey, '#secret-access-key'),
    })
  }

  /** Walks the order pipeline and waits until the order is vetted. */
  async order(
    purchaseUrl: string,
    cardNumber: string,
  ): Promise<{ charged: string; activationKey: string; sentTo: string }> {
    const offer = await this.#visitor.open(purchaseUrl)
    const order = await this.#enterCard(await this.#visitor.press(offer, 'Add a card'), cardNumber)
    const agreed = (name: string): string =>
      order.document.querySelector(`input[name=${name}]`)?.getAttribute('value') ?? ''
    const charged = `${agreed('initialCharge')} ${agreed('currency')}`
    const done = await this.#visitor.press(order, 'Place your order', { terms: 'accepted' })
    const sentTo = done.document.querySelector('#go-to-application')?.getAttribute('href')
    if (sentTo === undefined) throw new Error(`the order was not placed: ${done.text}`)
    await this.#vetted()
    return { charged, activationKey: textOf(done, '#activation-key'), sentTo: sentTo.replaceAll('&amp;', '&') }
  }

  /** Puts another card on file, from the billing page. */
  async changeCard(cardNumber: string): Promise<void> {
    const billing = await this.#visitor.open(`${this.#service.url}/billing`)
    await this.#enterCard(await this.#visitor.press(billing, 'Use another card'), cardNumber)
  }

  /** Subjects of the mails to this buyer, oldest first. */
  async mails(): Promise<string[]> {
    const { mails } = await this.#operator.get<{ mails: Mail[] }>(
      `/mails?recipient=${encodeURIComponent(this.person.email)}`,
    )
    return mails.map((mail) => mail.subject).toReversed()
  }

  async #enterCard(page: Page, number: string): Promise<Page> {
    return await this.#visitor.press(page, 'Save card', { number, expires: '12 / 34', cvc: '123', name: this.name })
  }

  async #vetted(): Promise<void> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const { subscriptions } = await this.rest.get<{ subscriptions: { state: string }[] }>('/subscriptions')
      const state = subscriptions.at(-1)?.state
      if (state === 'active') return
      if (state !== 'pending' || performance.now() > deadline) throw new Error(`the order ended as ${String(state)}`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }
}

async function lastMail(operator: RestClient, recipient: string): Promise<Mail> {
  const { mails } = await operator.get<{ mails: Mail[] }>(`/mails?recipient=${encodeURIComponent(recipient)}&limit=1`)
  const [mail] = mails
  if (mail === undefined) throw new Error(`no mail came for ${recipient}`)
  return mail
}

function textOf(page: Page, selector: string): string {
  const found = page.document.querySelector(selector)
  if (found === null) throw new Error(`no ${selector} on ${page.url}: ${page.text.slice(0, 300)}`)
  return found.textContent.trim()
}
