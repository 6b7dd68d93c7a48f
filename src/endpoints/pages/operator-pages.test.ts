import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Visitor } from '../../cli/demo/visitor.ts'
import { writeMail } from '../../notices/write-mail.ts'
import { sql } from '../../database/database.ts'
import { openTestHouse, type Person, type TestHouse } from '../../../test/house.ts'
import { noteOf, rowsOf, textOf } from '../../../test/pages.ts'
import { sampleProduct } from '../../../test/products.ts'

let house: TestHouse
let url: string
let operator: Visitor

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-16T09:00:00Z') })
  url = house.service.url
  operator = house.town.visitor()
  await house.town.signIn(operator, house.town.operator)
})
afterAll(() => house.close())

/** Registers a product that waits for the operator. @returns its code */
async function registered(seller: Person, name: string): Promise<string> {
  const { product } = await house.town.asked(seller, 'POST', '/products', sampleProduct({ name }))
  return (product as { productCode: string }).productCode
}

async function stateOf(seller: Person, code: string): Promise<unknown> {
  return (await house.town.asked(seller, 'GET', `/products/${code}`))['state']
}

test('nobody else gets in, on any of the pages', async () => {
  const visitor = house.town.visitor()
  await house.town.signIn(visitor, await house.newPerson())
  for (const path of ['', '/accounts', '/mailbox', '/mailbox/x', '/proof']) {
    expect([path, (await visitor.open(`${url}/operator${path}`)).status]).toEqual([path, 403])
  }
  expect((await house.town.visitor().open(`${url}/operator`)).url).toBe(`${url}/sign-in?continue=%2Foperator`)
})

test('products are approved and, with a reason, rejected', async () => {
  const seller = await house.newPerson()
  const good = await registered(seller, 'Good')
  const approving = await operator.press(await operator.open(`${url}/operator`), 'Approve')
  expect(approving.text).not.toContain(good)
  expect(await stateOf(seller, good)).toBe('approved')

  const bad = await registered(seller, 'Bad')
  const desk = await operator.open(`${url}/operator`)
  expect((await operator.press(desk, 'Reject')).status).toBe(400)
  await operator.press(desk, 'Reject', { reason: 'It is a copy.' })
  expect(await stateOf(seller, bad)).toBe('rejected')
  const visitor = house.town.visitor()
  await house.town.signIn(visitor, seller)
  expect((await visitor.open(`${url}/seller/products/${bad}`)).text).toContain('It is a copy.')
})

test('a seller’s bank account is verified', async () => {
  const seller = await house.newPerson()
  await registered(seller, 'Anything')
  const visitor = house.town.visitor()
  await house.town.signIn(visitor, seller)
  expect(noteOf(await visitor.open(`${url}/seller`))).toContain('not verified yet')
  let page = await operator.open(`${url}/operator/accounts`)
  while (page.text.includes('Verify bank account')) page = await operator.press(page, 'Verify bank account')
  expect(page.text).toContain(seller.accountId)
  expect(noteOf(await visitor.open(`${url}/seller`))).toBe('')
})

test('the clock moves forward only, and says what happened on the way', async () => {
  const desk = await operator.open(`${url}/operator`)
  expect((await operator.press(desk, 'Advance', { to: 'tomorrow' })).status).toBe(400)
  expect((await operator.press(desk, 'Advance', { to: '2026-06-01' })).status).toBeGreaterThanOrEqual(400)
  const moved = await operator.press(desk, 'Advance', { to: '2026-06-17T10:00:00Z' })
  expect(textOf(moved, 'h1')).toBe('The clock stands at 2026-06-17 10:00')
  expect(rowsOf(moved, 'What happened').at(-1)).toEqual(['2026-06-17 10:00', 'the clock stands here'])
})

test('the proof lists every invariant', async () => {
  const page = await operator.open(`${url}/operator/proof`)
  expect(noteOf(page)).toContain('The books are proven')
  expect(rowsOf(page, 'Invariants').every((row) => row[2] === 'holds')).toBe(true)
})

test('an account that is parked is released', async () => {
  const buyer = await house.newPerson()
  await house.database.transaction(async (tx) => {
    await tx.run(sql`insert into month_close (month, started_at) values ('2026-05', ${tx.now}) on conflict do nothing`)
    await tx.run(sql`
      insert into month_close_claim (month, account_id, parked_reason)
      values ('2026-05', ${buyer.accountId}, 'The bill is <unusually> large.')`)
  })
  const desk = await operator.open(`${url}/operator`)
  expect(rowsOf(desk, 'Parked accounts')).toEqual([
    [buyer.accountId, '2026-05', 'The bill is <unusually> large.', 'Release'],
  ])
  const released = await operator.press(desk, 'Release')
  expect(rowsOf(released, 'Parked accounts')).toEqual([])
})

test('a mail is shown as text, and as HTML in a frame without any rights', async () => {
  const hostile = '<script>alert(1)</script><img src=x onerror=alert(2)>'
  const recipient = 'reader@example.com'
  await house.database.transaction((tx) =>
    writeMail(tx, { reference: 'test/1', kind: 'test', recipient, subject: hostile, paragraphs: [hostile] }),
  )
  const list = await operator.open(`${url}/operator/mailbox?recipient=${recipient}`)
  expect(rowsOf(list, 'Mails, newest first')).toHaveLength(1)
  const mail = await operator.follow(list, hostile)
  expect(textOf(mail, 'h1')).toBe(hostile)
  expect(textOf(mail, '#text-body')).toContain(hostile)
  const frame = mail.document.querySelector('iframe')
  expect([frame?.getAttribute('sandbox'), frame?.getAttribute('srcdoc')?.includes('&lt;script&gt;')]).toEqual([
    '',
    true,
  ])
  expect((await operator.open(`${url}/operator/mailbox/none`)).status).toBe(404)
})
