import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Browser, newAddress, password, peopleHouse, type PeopleHouse } from '../../test/people.ts'
import { Database } from '../database/database.ts'
import { createPerson } from './create-person.ts'
import { createPeople } from './people.ts'

let house: PeopleHouse
beforeAll(async () => {
  house = await peopleHouse()
})
afterAll(() => house.close())
afterEach(() => house.forgetAttempts())

test('the cookies are httpOnly, lax, secure behind https, and last a week of real time', async () => {
  const email = newAddress()
  const browser = await house.signedUp(email)
  expect([...browser.cookies.keys()]).toEqual(['__Secure-turnpike.session_token'])
  const { setCookies } = await house.people.signIn({ email, password, headers: {} })
  expect(setCookies).toHaveLength(1)
  for (const attribute of ['Max-Age=604800', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']) {
    expect(setCookies[0]?.split('; ')).toContain(attribute)
  }
  const { setCookies: ofSignUp } = await house.people.signUp({ email: newAddress(), password, name: 'A' })
  for (const attribute of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']) {
    expect(ofSignUp[0]?.split('; ')).toContain(attribute)
  }
  const { rows } = await house.pool.query<{ days: string }>(
    `select extract(epoch from max("expiresAt") - now()) / 86400 as days from identity.session`,
  )
  expect(Number(rows[0]?.days)).toBeCloseTo(7, 2)
})

test('on plain http the cookies come without Secure, so that a trial on localhost works', async () => {
  const { pool, clock, sealer, log, config } = house.database
  const onHttp = new Database({ pool, clock, sealer, log, config: { ...config, publicUrl: 'http://127.0.0.1:8080' } })
  const email = newAddress()
  await createPerson(onHttp, { email, password, name: 'Anna' })
  const plain = createPeople(onHttp)
  const browser = new Browser()
  const signedIn = await plain.signIn({ email, password, headers: {} })
  const { setCookies } = await plain.signUp({ email: newAddress(), password, name: 'Anna' })
  expect([...signedIn.setCookies, ...setCookies].filter((cookie) => /Secure/.test(cookie))).toEqual([])
  browser.take(signedIn)
  expect(await plain.sessionOf(browser.headers)).toMatchObject({ email })
  await plain.close()
})

test('a session ends after a week, also one that is used', async () => {
  const email = newAddress()
  const browser = await house.signedUp(email)
  await house.pool.query(
    `update identity.session set "expiresAt" = now() + interval '1 hour', "updatedAt" = now() - interval '6 days'`,
  )
  expect(await house.people.sessionOf(browser.headers)).toMatchObject({ email })
  const { rows } = await house.pool.query<{ later: boolean }>(
    `select bool_or("expiresAt" > now() + interval '2 hours') as later from identity.session`,
  )
  expect(rows[0]?.later).toBe(false)
  await house.pool.query(`update identity.session set "expiresAt" = now() - interval '1 second'`)
  expect(await house.people.sessionOf(browser.headers)).toBeUndefined()
})

test.each([
  { email: 'not an address', parameter: 'email' },
  { password: 'nine char', parameter: 'password' },
  { password: 'x'.repeat(129), parameter: 'password' },
  { name: '  ', parameter: 'name' },
])('a sign-up with a wrong $parameter is refused and writes nothing', async ({ parameter, ...wrong }) => {
  const email = newAddress()
  await expect(house.people.signUp({ email, password, name: 'Anna', ...wrong })).rejects.toMatchObject({
    code: 'InvalidParameter',
    data: { parameter },
  })
  expect(await house.mailsTo(email)).toEqual([])
})

test('enumeration: signing up with an address that has an account answers alike, and changes nothing', async () => {
  const email = newAddress()
  const owner = await house.signedUp(email)
  const before = await house.pool.query('select * from identity.account order by id')
  const taken = await house.people.signUp({ email, password: 'another password', name: 'Mallory', continueTo: '/x' })
  const free = await house.people.signUp({ email: newAddress(), password: 'another password', name: 'Mallory' })
  const shape = ({ setCookies }: { setCookies: string[] }) =>
    setCookies.map((text) => text.replace(/=[\w-]{43};/, '=…;'))
  expect(shape(taken)).toEqual(shape(free))
  expect(shape(taken)).toHaveLength(1)
  expect((await house.mailsTo(email))[0]).toMatchObject({ kind: 'has-account' })
  expect((await house.pool.query('select * from identity.account order by id')).rows).toEqual(before.rows)
  await house.people.signIn({ email, password, headers: {} })
  expect(await house.people.sessionOf(owner.headers)).toMatchObject({ name: 'Anna' })
})

test('enumeration: whatever is wrong with a sign-in, the answer is the same', async () => {
  const email = newAddress()
  await house.signedUp(email)
  const unopened = newAddress()
  await house.people.signUp({ email: unopened, password, name: 'Not yet' })
  const messages = new Set<string>()
  for (const [address, word] of [
    [email, 'wrong password'],
    [email, ''],
    [email, 'x'.repeat(1000)],
    [newAddress(), password],
    [unopened, password],
    ['not an address', password],
  ] as const) {
    const failure = await house.people
      .signIn({ email: address, password: word, headers: {} })
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'Unauthenticated' })
    messages.add((failure as Error).message)
  }
  expect(messages.size).toBe(1)
})

test('session fixation: signing in gives a new session and ends the one the browser was given before', async () => {
  const [email, attacker] = [newAddress(), newAddress()]
  const planted = await house.signedUp(attacker)
  await house.signedUp(email)
  const victim = new Browser()
  for (const [name, value] of planted.cookies) victim.cookies.set(name, value)
  victim.take(await house.people.signIn({ email, password, headers: victim.headers }))
  expect(await house.people.sessionOf(victim.headers)).toMatchObject({ email })
  expect([...victim.cookies.values()]).not.toEqual([...planted.cookies.values()])
  expect(await house.people.sessionOf(planted.headers)).toBeUndefined()
})

test('a session cookie that was not signed by us is nobody’s', async () => {
  const browser = await house.signedUp(newAddress())
  const [name = '', value = ''] = [...browser.cookies][0] ?? []
  const [token = ''] = decodeURIComponent(value).split('.')
  for (const forged of [token, `${token}.`, `${token}.AAAA`, `x${value}`]) {
    expect(await house.people.sessionOf({ cookie: `${name}=${forged}` })).toBeUndefined()
  }
  expect(await house.people.sessionOf({ cookie: `${name}=${value}` })).toBeDefined()
  expect(await house.people.sessionOf(new Headers(browser.headers))).toBeDefined()
  expect(await house.people.sessionOf({})).toBeUndefined()
})

test('signing out ends the session at the server, and clears the cookie', async () => {
  const browser = await house.signedUp(newAddress())
  const stolen = { ...browser.headers }
  browser.take(await house.people.signOut(browser.headers))
  expect(browser.cookies.size).toBe(0)
  expect(await house.people.sessionOf(stolen)).toBeUndefined()
  await house.people.signOut({})
})

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const failure = (await attempt.catch((error: unknown) => error)) as { code: string; message: string }
  return `${failure.code}: ${failure.message}`
}

test('guessing passwords and flooding mailboxes ends soon, alike for addresses without an account', async () => {
  const [email, unknown] = [newAddress(), newAddress()]
  await house.signedUp(email)
  const outcomes = []
  for (const address of [email, unknown]) {
    const guess = () => house.people.signIn({ email: address, password: 'wrong password', headers: {} })
    const first = await refusal(guess())
    // As after fourteen more.
    await house.pool.query(`update identity.attempt set count = 15 where key like 'sign-in:%'`)
    outcomes.push([first, await refusal(guess())])
    await house.pool.query(`update identity.attempt set count = 15 where key like 'sign-in:%'`)
  }
  expect(outcomes[0]).toEqual(outcomes[1])
  expect(outcomes[0]).toEqual([
    expect.stringMatching(/^Unauthenticated: /),
    expect.stringMatching(/^LimitExceeded: .*15 minutes/),
  ])
  await expect(house.people.signIn({ email, password, headers: {} })).rejects.toMatchObject({ code: 'LimitExceeded' })
  for (let attempt = 0; attempt < 6; attempt += 1) await house.people.requestPasswordReset({ email })
  await expect(house.people.requestPasswordReset({ email })).rejects.toMatchObject({ code: 'LimitExceeded' })

  const unlimited = createPeople(house.database, { limitAttempts: false })
  await unlimited.signIn({ email, password, headers: {} })
  await unlimited.close()
})

test('the operator’s command line makes a person who can sign in at once, and no second one', async () => {
  const email = newAddress()
  const wanted = { email, password, name: 'Olga', operator: true }
  const { account, personId } = await createPerson(house.database, wanted)
  expect(account).toMatchObject({ email, name: 'Olga', operator: true, emailVerified: true })
  const browser = new Browser()
  browser.take(await house.people.signIn({ email, password, headers: {} }))
  expect(await house.people.sessionOf(browser.headers)).toMatchObject({
    personId,
    account: { accountId: account.accountId },
  })
  await expect(createPerson(house.database, wanted)).rejects.toMatchObject({ code: 'Conflict' })
  await expect(createPerson(house.database, { ...wanted, password: 'short' })).rejects.toMatchObject({
    code: 'InvalidParameter',
  })
  expect(await house.mailsTo(email)).toEqual([])
})

test('neither passwords nor link tokens are in the tables of people', async () => {
  const email = newAddress()
  await house.people.signUp({ email, password, name: 'Anna' })
  const token = await house.latestToken(email)
  const { rows } = await house.pool.query(
    `select u::text as row from identity."user" u union all select a::text from identity.account a
     union all select v::text from identity.verification v`,
  )
  const everything = JSON.stringify(rows)
  expect(everything).toContain(email)
  expect(everything).not.toContain(password)
  expect(everything).not.toContain(token)
})
