/**
 * A whole service for a test, on a database of its own and a free port, with a manual clock; and what people do at it
 * through its public wires: sign in, order with a card, sell, operate.
 *
 *     const house = await openTestHouse()
 *     const buyer = await house.newPerson()
 */
import { randomUUID } from 'node:crypto'
import { EC2Client } from '@aws-sdk/client-ec2'
import { STSClient } from '@aws-sdk/client-sts'
import { createAccessKey } from '../src/accounts/create-access-key.ts'
import type { Config } from '../src/base/config.ts'
import { Visitor, type Page } from '../src/cli/demo/visitor.ts'
import type { Database } from '../src/database/database.ts'
import { createPerson } from '../src/identity/create-person.ts'
import { startService, type Service } from '../src/main.ts'
import type { ProductInput } from '../src/products/product-input.ts'
import { prove, type Proof } from '../src/proof/prove.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { sampleProduct } from './products.ts'
import type { AccessKey } from './wires.ts'

export const goodCard = '4242424242424242'
/** Can be saved; every charge of it is declined. */
export const decliningCard = '4000000000000341'

const samplePassword = 'correct horse battery staple'

/** Someone with an account, a password and an access key. */
export interface Person extends AccessKey {
  readonly accountId: string
  readonly email: string
  readonly password: string
}

/** An answer of the REST API. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface SellableProduct {
  readonly productCode: string
  readonly offeringCode: string
  readonly purchaseUrl: string
  readonly seller: Person
}

/** Makes somebody on a database, as `turnpike account create` does. */
async function newPerson(database: Database, options: { operator?: boolean } = {}): Promise<Person> {
  const email = `person-${randomUUID()}@example.com`
  const { account } = await createPerson(database, { email, password: samplePassword, name: 'Somebody', ...options })
  const { accountId } = account
  const key = await database.transaction((tx) => createAccessKey(tx, { accountId, actor: 'system' }))
  const { accessKeyId, secretAccessKey } = key
  return { accountId, email, password: samplePassword, accessKeyId, secretAccessKey }
}

/** What people do at a service, wherever it runs. */
export class Town {
  readonly url: string
  readonly operator: Person
  readonly #clients: { destroy(): void }[] = []

  /** @param url of the service; also its public address */
  constructor(url: string, operator: Person) {
    this.url = url
    this.operator = operator
  }

  /** Asks the REST API with an access key. */
  async ask(who: AccessKey, method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${who.accessKeyId}:${who.secretAccessKey}`).toString('base64')}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }
  }

  /** The body of an answer that is none of a refusal. */
  async asked(who: AccessKey, method: string, path: string, body?: unknown): Promise<Answer['body']> {
    const answer = await this.ask(who, method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  /** Registers a product over REST and lets the operator approve it. The product of spec §7 unless changed. */
  async sell(seller: Person, changes: Partial<ProductInput> = {}): Promise<SellableProduct> {
    const registered = await this.asked(seller, 'POST', '/products', sampleProduct(changes))
    const { productCode } = registered['product'] as { productCode: string }
    await this.asked(this.operator, 'POST', `/products/${productCode}/approve`)
    const purchaseUrl = String(registered['purchaseUrl'])
    return { productCode, purchaseUrl, offeringCode: purchaseUrl.split('/').at(-1) ?? '', seller }
  }

  visitor(): Visitor {
    return new Visitor([this.url])
  }

  /** Signs in through the form. */
  async signIn(visitor: Visitor, who: Person): Promise<Page> {
    const form = await visitor.open(`${this.url}/sign-in`)
    const { email, password } = who
    return await visitor.press(form, 'Sign in', { email, password })
  }

  /** From the purchase URL to the page with Place your order on it: signs in on the way and enters a card. */
  async openOrder(visitor: Visitor, buyer: Person, purchaseUrl: string, card = goodCard): Promise<Page> {
    let page = await visitor.open(purchaseUrl)
    // The link in the page's own words leads back here; the one in the header to the start page.
    const signIn = page.document.querySelector('main a.button[href^="/sign-in"]')?.getAttribute('href')
    if (signIn !== undefined) {
      const { email, password } = buyer
      page = await visitor.press(await visitor.open(`${this.url}${signIn}`), 'Sign in', { email, password })
    }
    if (page.document.querySelector('input[name=nonce]') !== null) return page
    const cardPage = await visitor.press(page, 'Add a card')
    return await visitor.press(cardPage, 'Save card', { number: card, expires: '12 / 39', cvc: '123' })
  }

  /** Buys, as far as the confirmation. The order is vetted by the service's worker soon after. */
  async order(buyer: Person, product: { purchaseUrl: string }, card = goodCard): Promise<Page> {
    const visitor = this.visitor()
    const page = await this.openOrder(visitor, buyer, product.purchaseUrl, card)
    return await visitor.press(page, 'Place your order')
  }

  /** Moves the clock over REST. */
  async advance(to: string): Promise<Answer['body']> {
    return await this.asked(this.operator, 'POST', '/clock/advance', { to })
  }

  ec2(who: AccessKey, region = 'us-east-1'): EC2Client {
    return this.#keep(new EC2Client({ region, endpoint: this.url, credentials: credentialsOf(who) }))
  }

  sts(who: AccessKey): STSClient {
    return this.#keep(new STSClient({ region: 'us-east-1', endpoint: this.url, credentials: credentialsOf(who) }))
  }

  /** Lets go of every client's connections. */
  leave(): void {
    for (const client of this.#clients.splice(0)) client.destroy()
  }

  #keep<Client extends { destroy(): void }>(client: Client): Client {
    this.#clients.push(client)
    return client
  }
}

function credentialsOf({ accessKeyId, secretAccessKey }: AccessKey): AccessKey {
  return { accessKeyId, secretAccessKey }
}

export interface TestHouse {
  readonly service: Service
  readonly town: Town
  readonly database: Database
  readonly pool: TestDatabase['pool']
  readonly config: Config
  newPerson(options?: { operator?: boolean }): Promise<Person>
  /** Orders over the pages and waits until the order is vetted. */
  subscribe(buyer: Person, product: { purchaseUrl: string }, card?: string): Promise<Page>
  /** Lets every task that can run now run. */
  settle(): Promise<void>
  /** @throws Error naming what is broken */
  proveBooks(): Promise<Proof>
  close(): Promise<void>
}

/** @param options as of `testDatabase`: where the clock stands at first, keys of the configuration */
export async function openTestHouse(options: Parameters<typeof testDatabase>[0] = {}): Promise<TestHouse> {
  const base = await testDatabase(options)
  const service = await startService({ ...base.config, port: 0 }, base.log)
  const { database } = service
  const town = new Town(service.url, await newPerson(database, { operator: true }))
  const settle = (): Promise<void> => service.drain()
  return {
    service,
    town,
    database,
    pool: base.pool,
    config: service.config,
    settle,
    newPerson: (of) => newPerson(database, of),
    async subscribe(buyer, product, card) {
      const page = await town.order(buyer, product, card)
      await settle()
      return page
    },
    proveBooks: () => proveBooks(database),
    async close() {
      town.leave()
      await service.close()
      await base.close()
    },
  }
}

/** @throws Error naming every broken invariant */
export async function proveBooks(database: Database): Promise<Proof> {
  const proof = await prove(database)
  const broken = proof.checks.filter((check) => !check.ok)
  if (broken.length > 0) {
    const shown = broken.map(({ name, violations }) => `${name}: ${JSON.stringify(violations, printBigint)}`)
    throw new Error(`the books are not proven: ${shown.join('; ')}`)
  }
  return proof
}

function printBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

/** Asks until there is an answer other than undefined, within a bound. */
export async function until<T>(question: () => Promise<T | undefined>, what: string, withinMs = 30_000): Promise<T> {
  const giveUpAt = performance.now() + withinMs
  for (;;) {
    const answer = await question()
    if (answer !== undefined) return answer
    if (performance.now() > giveUpAt) throw new Error(`it did not happen in ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
