import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Browser, newAddress, password, peopleHouse, type PeopleHouse } from '../../test/people.ts'
import { listAudit } from '../accounts/record-audit.ts'

let house: PeopleHouse
beforeAll(async () => {
  house = await peopleHouse()
})
afterAll(() => house.close())
afterEach(() => house.forgetAttempts())

const linkIsSpent = { code: 'InvalidParameter', data: { parameter: 'token' } }

test('signing up ends, by the link in the mail, in an account and a session', async () => {
  const email = newAddress()
  const browser = new Browser()
  browser.take(
    await house.people.signUp({
      email: email.toUpperCase(),
      password,
      name: ' Anna ',
      continueTo: '/purchase/774F4FF8',
    }),
  )
  expect(await house.people.sessionOf(browser.headers)).toBeUndefined()
  await expect(house.people.signIn({ email, password, headers: {} })).rejects.toMatchObject({ code: 'Unauthenticated' })
  const [mail, ...others] = await house.mailsTo(email)
  expect(others).toEqual([])
  expect(mail).toMatchObject({ kind: 'verify-email', recipient: email })

  const verified = await house.people.verifyEmail({ token: await house.latestToken(email), headers: browser.headers })
  expect(verified).toMatchObject({ verified: true, continueTo: '/purchase/774F4FF8' })
  browser.take(verified)
  const session = await house.people.sessionOf(browser.headers)
  expect(session).toMatchObject({ email, name: 'Anna' })
  expect(session?.account).toMatchObject({ email, name: 'Anna', emailVerified: true, operator: false })
  expect(session?.account.accountId).toMatch(/^[1-9]\d{11}$/)
  const accountId = session?.account.accountId ?? ''
  const audit = await house.database.read((tx) => listAudit(tx, { accountId }))
  expect(audit).toMatchObject([{ actor: accountId, action: 'account.create', subject: session?.personId }])
})

test('pre-hijack: a stranger’s sign-up gives the stranger nothing when the owner signs up', async () => {
  const email = newAddress()
  const stranger = new Browser()
  stranger.take(await house.people.signUp({ email, password: 'the stranger’s password', name: 'Mallory' }))
  const strangersLink = await house.latestToken(email)
  const owner = await house.signedUp(email)
  expect(await house.people.sessionOf(owner.headers)).toMatchObject({ name: 'Anna' })
  // The owner finds the first mail, too, and opens its link.
  expect(await house.people.verifyEmail({ token: strangersLink, headers: owner.headers })).toMatchObject({
    verified: false,
    setCookies: [],
  })
  await expect(
    house.people.signIn({ email, password: 'the stranger’s password', headers: stranger.headers }),
  ).rejects.toMatchObject({ code: 'Unauthenticated' })
  await house.people.signIn({ email, password, headers: {} })
})

test('pre-hijack: the owner’s click on a stranger’s link completes nothing', async () => {
  const email = newAddress()
  const stranger = new Browser()
  stranger.take(await house.people.signUp({ email, password: 'the stranger’s password', name: 'Mallory' }))
  const token = await house.latestToken(email)
  expect(await house.people.verifyEmail({ token, headers: {} })).toEqual({
    verified: false,
    setCookies: [],
    continueTo: '/',
  })
  await expect(house.people.verifyEmail({ token, headers: {}, password })).rejects.toMatchObject({
    code: 'Unauthenticated',
  })
  await expect(
    house.people.signIn({ email, password: 'the stranger’s password', headers: stranger.headers }),
  ).rejects.toMatchObject({ code: 'Unauthenticated' })
  expect((await house.pool.query('select 1 from identity."user" where email = $1', [email])).rowCount).toBe(0)
})

test('the link opened in another browser works with the password; ten wrong ones in an hour are too many', async () => {
  const email = newAddress()
  await house.people.signUp({ email, password, name: 'Anna', continueTo: '/billing' })
  const token = await house.latestToken(email)
  const guess = () => house.people.verifyEmail({ token, headers: {}, password: 'wrong password' })
  await expect(guess()).rejects.toMatchObject({ code: 'Unauthenticated' })
  // As after eight more.
  await house.pool.query(`update identity.attempt set count = 9 where key like 'confirm-sign-up:%'`)
  const telephone = new Browser()
  const verified = await house.people.verifyEmail({ token, headers: telephone.headers, password })
  expect(verified).toMatchObject({ verified: true, continueTo: '/billing' })
  telephone.take(verified)
  expect(await house.people.sessionOf(telephone.headers)).toMatchObject({ email })

  const other = newAddress()
  await house.people.signUp({ email: other, password, name: 'Anna' })
  const guessed = await house.latestToken(other)
  await house.people.verifyEmail({ token: guessed, headers: {}, password: 'wrong password' }).catch(() => undefined)
  await house.pool.query(`update identity.attempt set count = 10 where key like 'confirm-sign-up:%'`)
  await expect(house.people.verifyEmail({ token: guessed, headers: {}, password })).rejects.toMatchObject({
    code: 'LimitExceeded',
  })
})

test('a verification link works once, also when opened twice at once, and for a day', async () => {
  const email = newAddress()
  const browser = new Browser()
  browser.take(await house.people.signUp({ email, password, name: 'Anna' }))
  const token = await house.latestToken(email)
  const { headers } = browser
  const opened = await Promise.allSettled([1, 2, 3].map(() => house.people.verifyEmail({ token, headers })))
  expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await expect(house.people.verifyEmail({ token, headers })).rejects.toMatchObject(linkIsSpent)
  const accounts = await house.pool.query('select 1 from account where email = $1', [email])
  expect(accounts.rowCount).toBe(1)

  const late = newAddress()
  browser.take(await house.people.signUp({ email: late, password, name: 'Late' }))
  await house.pool.query(`update identity.verification set "expiresAt" = "expiresAt" - interval '24 hours'`)
  await expect(
    house.people.verifyEmail({ token: await house.latestToken(late), headers: browser.headers }),
  ).rejects.toMatchObject(linkIsSpent)
  await expect(house.people.verifyEmail({ token: 'made-up', headers: browser.headers })).rejects.toMatchObject(
    linkIsSpent,
  )
})

test('two links of one address opened at once make one person and one account', async () => {
  const email = newAddress()
  const links = []
  for (const name of ['One', 'Two']) {
    const browser = new Browser()
    browser.take(await house.people.signUp({ email, password, name }))
    links.push({ token: await house.latestToken(email), headers: browser.headers })
  }
  const opened = await Promise.allSettled(links.map((link) => house.people.verifyEmail(link)))
  expect(opened.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(opened.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'Conflict' } })
  expect((await house.pool.query('select 1 from account where email = $1', [email])).rowCount).toBe(1)
})

test('open redirect: a sign-up never leads away from us', async () => {
  const email = newAddress()
  const browser = new Browser()
  browser.take(await house.people.signUp({ email, password, name: 'Anna', continueTo: '//elsewhere.example/x' }))
  const verified = await house.people.verifyEmail({ token: await house.latestToken(email), headers: browser.headers })
  expect(verified.continueTo).toBe('/')
})
