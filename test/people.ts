/** People for tests: a database with sign-in on it, browsers that keep cookies, and the links in the mails they get. */
import type { Mail } from '../src/notices/notices.ts'
import { listMails } from '../src/notices/read-mailbox.ts'
import { createPeople, type People } from '../src/identity/people.ts'
import { testDatabase, type TestDatabase } from './database.ts'

export const password = 'correct horse battery'

/** A browser: keeps the cookies it is given. */
export class Browser {
  readonly cookies = new Map<string, string>()
  take({ setCookies }: { setCookies: string[] }): void {
    for (const cookie of setCookies) {
      const [pair = '', ...attributes] = cookie.split('; ')
      const [name = '', value = ''] = pair.split(/=(.*)/s)
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
  get headers(): Record<string, string> {
    return { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
  }
}

let addresses = 0

export function newAddress(): string {
  addresses += 1
  return `person${addresses}@example.com`
}

export interface PeopleHouse extends TestDatabase {
  readonly people: People
  mailsTo(email: string): Promise<Mail[]>
  /** The token in the link of the latest mail to an address; empty when it has none. */
  latestToken(email: string): Promise<string>
  /** A person who signed up and opened the link, in the browser that is signed in. */
  signedUp(email: string): Promise<Browser>
  /** Lets everyone try again. */
  forgetAttempts(): Promise<void>
}

/** Under https://turnpike.example. */
export async function peopleHouse(): Promise<PeopleHouse> {
  const house = await testDatabase({ config: { publicUrl: 'https://turnpike.example' } })
  const people = createPeople(house.database)
  const mailsTo = (email: string): Promise<Mail[]> =>
    house.database.read((tx) => listMails(tx, { limit: 100, recipient: email }))
  const latestToken = async (email: string): Promise<string> => {
    const [mail] = await mailsTo(email)
    return /https:\/\/turnpike\.example\/[a-z-]+\?token=([\w-]+)/.exec(mail?.textBody ?? '')?.[1] ?? ''
  }
  return {
    ...house,
    people,
    mailsTo,
    latestToken,
    async signedUp(email) {
      const browser = new Browser()
      browser.take(await people.signUp({ email, password, name: 'Anna', continueTo: '/purchase/774F4FF8' }))
      browser.take(await people.verifyEmail({ token: await latestToken(email), headers: browser.headers }))
      return browser
    },
    forgetAttempts: async () => void (await house.pool.query('delete from identity.attempt')),
    async close() {
      await people.close()
      await house.close()
    },
  }
}
