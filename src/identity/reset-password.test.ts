import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Browser, newAddress, password, peopleHouse, type PeopleHouse } from '../../test/people.ts'

let house: PeopleHouse
beforeAll(async () => {
  house = await peopleHouse()
})
afterAll(() => house.close())
afterEach(() => house.forgetAttempts())

const linkIsSpent = { code: 'InvalidParameter', data: { parameter: 'token' } }

test('enumeration: asking for a reset answers alike; the mail tells its reader', async () => {
  const email = newAddress()
  await house.signedUp(email)
  const unknown = newAddress()
  expect(await house.people.requestPasswordReset({ email })).toBe(
    await house.people.requestPasswordReset({ email: unknown }),
  )
  expect((await house.mailsTo(email))[0]).toMatchObject({ kind: 'password-reset' })
  expect(await house.mailsTo(unknown)).toMatchObject([{ kind: 'no-account' }])
  expect(await house.latestToken(unknown)).toBe('')
})

test('a link of one kind is not a link of the other', async () => {
  const email = newAddress()
  const browser = await house.signedUp(email)
  await house.people.requestPasswordReset({ email })
  const reset = await house.latestToken(email)
  await expect(house.people.verifyEmail({ token: reset, headers: browser.headers })).rejects.toMatchObject(linkIsSpent)
  const other = newAddress()
  await house.people.signUp({ email: other, password, name: 'Other' })
  await expect(house.people.resetPassword({ token: await house.latestToken(other), password })).rejects.toMatchObject(
    linkIsSpent,
  )
})

test('a reset sets the password once, ends every session and every other reset link, and tells', async () => {
  const email = newAddress()
  const browsers = [await house.signedUp(email), new Browser()]
  browsers[1]?.take(await house.people.signIn({ email, password, headers: {} }))
  const bystander = await house.signedUp(newAddress())
  await house.people.requestPasswordReset({ email })
  const first = await house.latestToken(email)
  await house.people.requestPasswordReset({ email })
  const second = await house.latestToken(email)
  await expect(house.people.resetPassword({ token: second, password: 'short' })).rejects.toMatchObject({
    code: 'InvalidParameter',
    data: { parameter: 'password' },
  })

  const changed = await Promise.allSettled(
    [1, 2].map(() => house.people.resetPassword({ token: second, password: 'a new password' })),
  )
  expect(changed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const browser of browsers) expect(await house.people.sessionOf(browser.headers)).toBeUndefined()
  expect(await house.people.sessionOf(bystander.headers)).toBeDefined()
  await expect(house.people.signIn({ email, password, headers: {} })).rejects.toMatchObject({ code: 'Unauthenticated' })
  await house.people.signIn({ email, password: 'a new password', headers: {} })
  await expect(house.people.resetPassword({ token: first, password: 'a third password' })).rejects.toMatchObject(
    linkIsSpent,
  )
  expect((await house.mailsTo(email))[0]).toMatchObject({ kind: 'password-changed' })
  const { rows } = await house.pool.query(`select 1 from audit_entry where action = 'person.reset-password'`)
  expect(rows).toHaveLength(1)
})

test('a reset link works for an hour', async () => {
  const email = newAddress()
  await house.signedUp(email)
  await house.people.requestPasswordReset({ email })
  await house.pool.query(`update identity.verification set "expiresAt" = "expiresAt" - interval '1 hour'`)
  await expect(
    house.people.resetPassword({ token: await house.latestToken(email), password: 'a new password' }),
  ).rejects.toMatchObject(linkIsSpent)
  await house.people.signIn({ email, password, headers: {} })
})
