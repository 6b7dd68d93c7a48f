/** Who may ask: access keys by HTTP Basic, and people by their session's cookie. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestHouse, type Person, type TestHouse } from '../../../test/house.ts'

let house: TestHouse
let person: Person

beforeAll(async () => {
  house = await openTestHouse()
  person = await house.newPerson()
})
afterAll(() => house.close())

interface Found {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

async function ask(path: string, headers: Record<string, string>, method = 'GET'): Promise<Found> {
  const answer = await fetch(`${house.service.url}/api/v1${path}`, { method, headers })
  const text = await answer.text()
  const body = (text === '' ? {} : JSON.parse(text)) as Found['body']
  return { status: answer.status, body, headers: answer.headers }
}

const basic = (id: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

describe('an access key', () => {
  test('is let in by its secret and nothing else', async () => {
    const { accessKeyId, secretAccessKey, accountId } = person
    expect((await ask('/account', basic(accessKeyId, secretAccessKey))).body).toMatchObject({ accountId })
    const lower = {
      authorization: basic(accessKeyId, secretAccessKey)['authorization']?.replace('Basic', 'basic') ?? '',
    }
    expect((await ask('/account', lower)).status).toBe(200)
    const other = await house.newPerson()
    const wrong = [
      {},
      basic(accessKeyId, `${secretAccessKey}x`),
      basic(accessKeyId, secretAccessKey.slice(0, -1)),
      basic(accessKeyId, ''),
      basic(accessKeyId, other.secretAccessKey),
      basic('AKIAAAAAAAAAAAAAAAAA', secretAccessKey),
      basic('', ''),
      basic(`${accessKeyId}\0`, secretAccessKey),
      { authorization: 'Basic' },
      { authorization: 'Basic %%%' },
      { authorization: `Bearer ${secretAccessKey}` },
      { cookie: 'turnpike.session_token=abc.def' },
    ]
    for (const headers of wrong) {
      const refused = await ask('/account', headers)
      expect({ headers, status: refused.status, code: refused.body['code'] }).toEqual({
        headers,
        status: 401,
        code: 'Unauthenticated',
      })
      expect(refused.headers.get('www-authenticate')).toBe('Basic realm="Turnpike", charset="UTF-8"')
    }
  })

  test('that is deactivated or deleted is refused at once', async () => {
    const owner = await house.newPerson()
    const mine = basic(owner.accessKeyId, owner.secretAccessKey)
    const made = await ask('/access-keys', mine, 'POST')
    const second = basic(String(made.body['accessKeyId']), String(made.body['secretAccessKey']))
    expect((await ask('/account', second)).status).toBe(200)
    const change = (active: boolean): Promise<Response> =>
      fetch(`${house.service.url}/api/v1/access-keys/${String(made.body['accessKeyId'])}`, {
        method: 'PATCH',
        headers: { ...mine, 'content-type': 'application/json' },
        body: JSON.stringify({ active }),
      })
    expect((await change(false)).status).toBe(200)
    expect((await ask('/account', second)).status).toBe(401)
    expect((await change(true)).status).toBe(200)
    expect((await ask('/account', second)).status).toBe(200)
    expect((await ask(`/access-keys/${String(made.body['accessKeyId'])}`, mine, 'DELETE')).status).toBe(204)
    expect((await ask('/account', second)).status).toBe(401)
  })
})

describe('a signed-in person', () => {
  async function signIn(who: Person): Promise<Record<string, string>> {
    const answer = await fetch(`${house.service.url}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: house.service.url, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ email: who.email, password: who.password }),
    })
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
    expect(cookies.join()).toContain('turnpike.session_token=')
    return { cookie: cookies.join('; ') }
  }

  test('reads with the cookie, and changes things from our own pages only', async () => {
    const cookie = await signIn(person)
    expect((await ask('/account', cookie)).body).toMatchObject({ accountId: person.accountId })
    const { origin } = new URL(house.service.url)
    const elsewhere = [
      cookie,
      { ...cookie, origin: 'https://evil.example' },
      { ...cookie, origin: 'null' },
      { ...cookie, origin, 'sec-fetch-site': 'cross-site' },
      { ...cookie, 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of elsewhere) {
      expect(await ask('/access-keys', headers, 'POST')).toMatchObject({ status: 403, body: { code: 'Forbidden' } })
    }
    const count = async (): Promise<number> =>
      ((await ask('/access-keys', cookie)).body['accessKeys'] as unknown[]).length
    expect(await count()).toBe(1)
    expect((await ask('/access-keys', { ...cookie, origin }, 'POST')).status).toBe(201)
    expect(await count()).toBe(2)
  })

  test('a wrong access key is refused, even beside a good cookie', async () => {
    const cookie = await signIn(person)
    expect((await ask('/account', { ...cookie, ...basic(person.accessKeyId, 'wrong') })).status).toBe(401)
  })

  test('who became an operator is one from then on', async () => {
    const cookie = await signIn(person)
    expect((await ask('/proof', cookie)).status).toBe(403)
    await house.pool.query('update account set operator = true where account_id = $1', [person.accountId])
    expect((await ask('/proof', cookie)).status).toBe(200)
  })
})

test('the document is for everyone, and complete', async () => {
  const answer = await fetch(`${house.service.url}/api/v1/openapi.json`)
  const document = (await answer.json()) as { paths: Record<string, Record<string, Operation>> }
  expect(answer.status).toBe(200)
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, ...operation })),
  )
  expect(operations.length).toBeGreaterThan(30)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { path, operationId, summary, responses, parameters = [] } of operations) {
    expect({ path, operationId, summary }).toMatchObject({
      operationId: expect.stringMatching(/^[a-z][A-Za-z]+$/),
      summary: expect.any(String),
    })
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(named)
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '401', 'default']))
    expect(Object.keys(responses).filter((status) => status.startsWith('2'))).toHaveLength(1)
    expect(JSON.stringify(responses['default'])).toContain('#/components/schemas/Problem')
  }
  expect(JSON.stringify(document)).not.toContain('Default Response')
  expect(document).toMatchObject({
    openapi: '3.1.0',
    security: [{ accessKey: [] }, { session: [] }],
    components: { schemas: { Invoice: { properties: { issuedAt: { type: 'string', format: 'date-time' } } } } },
  })
})

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly responses: Readonly<Record<string, unknown>>
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
}
