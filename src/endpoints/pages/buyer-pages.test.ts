import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listMails } from '../../notices/read-mailbox.ts'
import { listSubscriptions } from '../../subscriptions/find-subscription.ts'
import { decliningCard, goodCard, openTestHouse, type SellableProduct, type TestHouse } from '../../../test/house.ts'
import { noteOf, rowsOf, textOf } from '../../../test/pages.ts'

let house: TestHouse
let product: SellableProduct

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-16T09:00:00Z') })
  product = await house.town.sell(await house.newPerson(), { terms: 'Use it well.' })
})
afterAll(() => house.close())

const terms = { terms: 'accepted' }

describe('the order pipeline', () => {
  test('from the purchase URL over sign-up, mail and card to the key and the seller’s page', async () => {
    const { town, database } = house
    const email = `${randomUUID()}@example.com`
    const visitor = town.visitor()
    const first = await visitor.open(product.purchaseUrl)
    expect(first.text).toContain('$20.00')
    expect(textOf(first, '.total')).toBe('$10.00')
    const form = await visitor.follow(first, 'Make an account')
    const sent = await visitor.press(form, 'Make an account', { name: 'Bea', email, password: 'correct horse battery' })
    expect(textOf(sent, 'h1')).toBe('Check your mail')

    const [mail] = await database.read((tx) => listMails(tx, { limit: 1, recipient: email }))
    const link = /http\S+\/verify-email\?token=\S+/.exec(mail?.textBody ?? '')?.[0] ?? ''
    const signedIn = await visitor.open(link)
    expect(signedIn.url).toBe(product.purchaseUrl)
    const card = await visitor.press(signedIn, 'Add a card')
    const ready = await visitor.press(card, 'Save card', { number: goodCard, expires: '12 / 39', cvc: '123' })
    expect(ready.url).toBe(product.purchaseUrl)
    expect(ready.text).toContain('Visa ending in 4242, valid until 12/2039')

    const placed = await visitor.press(ready, 'Place your order', terms)
    expect(placed.status).toBe(200)
    const key = textOf(placed, '#activation-key')
    expect(key).toMatch(/^A[A-Z2-7]{27}$/)
    expect(placed.document.querySelector('#go-to-application')?.getAttribute('href')).toBe(
      `https://abc.example.com/welcome?ActivationKey=${key}&ProductCode=${product.productCode}`,
    )
    expect(placed.text).toContain('You have no access key yet')
    const made = await visitor.press(placed, 'Make an access key')
    expect(textOf(made, '#access-key-id')).toMatch(/^AKIA/)

    await house.settle()
    const again = await visitor.open(product.purchaseUrl)
    expect(noteOf(again)).toContain('You are subscribed to ABC AMI')
  })

  test('of two tabs one orders, and the other shows what there is', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const [one, two] = [
      await house.town.openOrder(visitor, buyer, product.purchaseUrl),
      await visitor.open(product.purchaseUrl),
    ]
    const placed = await visitor.press(one, 'Place your order', terms)
    expect(textOf(placed, 'h1')).toBe('Thank you, your order is placed')
    await house.settle()
    for (const tab of [two, one]) {
      expect(textOf(await visitor.press(tab, 'Place your order', terms), 'h1')).toBe('You have this already')
    }
    const all = await house.database.read((tx) => listSubscriptions(tx, { accountId: buyer.accountId }))
    expect(all).toMatchObject([{ state: 'active' }])
  })

  test('terms must be accepted, and the page says so', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
    const refused = await visitor.press(page, 'Place your order')
    expect(refused.status).toBe(400)
    expect(noteOf(refused)).toContain('terms')
    expect(textOf(await visitor.press(refused, 'Place your order', terms), 'h1')).toBe(
      'Thank you, your order is placed',
    )
  })

  test('a card that is refused keeps the buyer on the card page', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl, '4000000000000002')
    expect([page.status, page.text]).toEqual([402, expect.stringContaining('Your card was declined.')])
    const back = await visitor.follow(page, 'Cancel and go back')
    expect(back.text).toContain('Add a card')
  })

  test('another buyer’s card setup is not taken over', async () => {
    const [thief, owner] = [house.town.visitor(), house.town.visitor()]
    await house.town.signIn(thief, await house.newPerson())
    await house.town.openOrder(owner, await house.newPerson(), product.purchaseUrl, '4000000000000002')
    const cardPage = await owner.press(await owner.open(product.purchaseUrl), 'Add a card')
    const session = cardPage.url.split('/').at(-1) ?? ''
    const page = await thief.open(`${house.service.url}/billing?session=${session}`)
    expect(noteOf(page)).not.toBe('')
    expect(page.text).toContain('There is no card on file.')
  })
})

describe('billing', () => {
  test('the month to date, the deep link, and another account’s pages', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    await house.town
      .openOrder(visitor, buyer, product.purchaseUrl)
      .then((page) => visitor.press(page, 'Place your order', terms))
    await house.settle()
    const billing = await visitor.open(`${house.service.url}/billing`)
    expect(textOf(billing, '#month-to-date')).toBe('$10.00 so far for 2026-06')
    expect(rowsOf(billing, 'Your products')).toMatchObject([['ABC AMI', 'ABC Software', 'active', '2026-06-16']])

    const subscription = await visitor.open(`${house.service.url}/billing?product=${product.productCode}`)
    expect(subscription.url).toMatch(/\/billing\/subscriptions\/[\w-]+$/)
    expect(subscription.text).toContain('help@abc.example.com')
    const statement = await visitor.follow(billing, '2026-06-16')
    expect(rowsOf(statement, 'Sign-up statement, 2026-06').at(-1)).toEqual(['Total', '', '', '$10.00'])

    const stranger = house.town.visitor()
    await house.town.signIn(stranger, await house.newPerson())
    for (const url of [statement.url, subscription.url, `${subscription.url}/cancel`]) {
      const refused = await stranger.open(url)
      expect([refused.status, refused.text.includes('ABC AMI')]).toEqual([404, false])
    }
    const unknown = await stranger.open(`${house.service.url}/billing?product=${product.productCode}`)
    expect(noteOf(unknown)).toContain('has never subscribed')
  })

  test('cancelling says what is refunded before, does it once, and shows it after', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
    await visitor.press(page, 'Place your order', terms)
    await house.settle()
    const subscription = await visitor.open(`${house.service.url}/billing?product=${product.productCode}`)
    const question = await visitor.follow(subscription, 'Cancel use')
    expect(question.text).toContain('$9.33 is refunded to your card')
    const done = await visitor.press(question, 'Cancel use')
    expect(noteOf(done)).toBe('Cancelled. $9.33 is refunded to your card; use so far is billed on 2026-07-01.')
    // The button of a page that was left open.
    const twice = await visitor.press(question, 'Cancel use')
    expect(twice.text.match(/Refunded/g)).toHaveLength(1)
    const activation = await visitor.open(`${house.service.url}/activation`)
    expect(textOf(activation, '.empty')).toContain('You own no product yet.')
    await house.settle()
    const statement = await visitor.follow(await visitor.open(`${house.service.url}/billing`), '2026-06-16')
    expect(rowsOf(statement, 'Refunds')).toEqual([['2026-06-16', 'The unused part of ABC AMI', 'succeeded', '-$9.33']])
  })

  test('an activation key is made for what one owns, and links to the seller’s page', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
    await visitor.press(page, 'Place your order', terms)
    const keyPage = await visitor.press(await visitor.open(`${house.service.url}/activation`), 'Make a key')
    const key = textOf(keyPage, '#activation-key')
    expect(keyPage.document.querySelector('#go-to-application')?.getAttribute('href')).toContain(
      `ActivationKey=${key}&`,
    )
  })

  test('a bill that failed is paid by hand, once there is a good card', async () => {
    const buyer = await house.newPerson()
    const visitor = house.town.visitor()
    const page = await house.town.openOrder(visitor, buyer, product.purchaseUrl)
    await visitor.press(page, 'Place your order', terms)
    await house.settle()
    const useCard = async (number: string) => {
      const billing = await visitor.open(`${house.service.url}/billing`)
      const cardPage = await visitor.press(billing, 'Use another card')
      return await visitor.press(cardPage, 'Save card', { number, expires: '12 / 39', cvc: '123' })
    }
    await useCard(decliningCard)
    await house.town.advance('2026-07-01T06:00:00Z')
    const billing = await visitor.open(`${house.service.url}/billing`)
    expect(rowsOf(billing, 'Statements')[0]).toEqual(['2026-07-01', '2026-06', 'open', '$20.00', 'Pay now'])
    const refused = await visitor.press(billing, 'Pay now')
    expect([refused.status, noteOf(refused)]).toEqual([402, expect.stringContaining('Your card was declined.')])

    await house.town.advance('2026-07-22T06:00:00Z')
    const owing = await visitor.open(`${house.service.url}/billing`)
    expect(noteOf(owing)).toContain('You owe $20.00')
    expect(rowsOf(owing, 'Ended subscriptions')[0]?.[2]).toBe('cancelled')
    expect(noteOf(await visitor.open(product.purchaseUrl))).toContain('You owe $20.00 of earlier bills.')
    const statement = await visitor.follow(owing, '2026-07-01')
    expect(statement.text).toContain('The debt stands until it is paid.')
    const left = await visitor.press(statement, 'Pay now')
    expect(left.status).toBe(402)

    await useCard(goodCard)
    await house.settle()
    const paid = await visitor.open(statement.url)
    expect(paid.text).toContain('Paid. Thank you.')
    // The button of the page that was left open.
    expect((await visitor.press(statement, 'Pay now')).text).toContain('Paid. Thank you.')
    expect(noteOf(await visitor.open(product.purchaseUrl))).toBe('')
    await house.proveBooks()
  })
})
