import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page, Visitor } from '../../cli/demo/visitor.ts'
import { listProducts } from '../../products/find-product.ts'
import { openTestHouse, type Person, type TestHouse } from '../../../test/house.ts'
import { noteOf, rowsOf, textOf } from '../../../test/pages.ts'

let house: TestHouse
let url: string

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-16T09:00:00Z') })
  url = house.service.url
})
afterAll(() => house.close())

async function signedIn(who?: Person): Promise<Visitor> {
  const visitor = house.town.visitor()
  await house.town.signIn(visitor, who ?? (await house.newPerson()))
  return visitor
}

const typed = {
  companyName: 'Wood & Sons',
  name: 'A "sound" <product>',
  description: 'First line.\nSecond line.',
  redirectUrl: 'https://wood.example.com/welcome',
  terms: '',
  privateContactEmail: 'wood@example.com',
  privateContactTelephone: '+1 206 555 0100',
  publicContact: 'https://wood.example.com/help',
  oneTime: '5.00',
  monthly: '20.00',
  regions: 'us-east-1',
  environments: 'linux',
  instanceTypes: 'm1.small',
  endOfAccessPolicy: 'stop',
  'rate:InstanceHours:us-east-1:linux:m1.small': '0.25',
}

function valueOf(page: Page, name: string): string | undefined {
  const control = page.document.querySelector(`[name="${name}"]`)
  return control?.tagName === 'TEXTAREA' ? control.textContent.replace(/^\n/, '') : control?.getAttribute('value')
}

describe('registering a product', () => {
  test('the product has its codes, its token and its price beside the cloud’s', async () => {
    const visitor = await signedIn()
    const empty = await visitor.open(`${url}/seller`)
    expect(textOf(empty, '.empty')).toContain('You sell nothing yet.')
    const form = await visitor.follow(empty, 'Register a product')
    const page = await visitor.press(form, 'Register', typed)
    expect(page.url).toMatch(/\/seller\/products\/[0-9A-F]{8}$/)
    expect(textOf(page, 'h1')).toBe(typed.name)
    expect(textOf(page, '#product-token')).toMatch(/^\{ProductToken\}/)
    expect(textOf(page, '#purchase-url')).toMatch(/\/purchase\/[0-9A-F]{8}$/)
    expect(rowsOf(page, 'Hourly rates beside the cloud’s')).toEqual([
      ['m1.small, linux, us-east-1', '0.25', '0.10', '0.15', '150.00 %'],
    ])
    expect(noteOf(page)).toContain('Waiting for the operator’s approval.')
    // The form that was left open in another tab.
    expect((await visitor.press(form, 'Register', typed)).url).toBe(page.url)
    expect((await (await signedIn()).open(page.url)).status).toBe(404)
  })

  test('every bad field says what is wrong, and everything typed is kept', async () => {
    const visitor = await signedIn()
    const form = await visitor.open(`${url}/seller/products/new`)
    const wrong = { ...typed, redirectUrl: 'javascript:alert(1)', privateContactTelephone: 'none' }
    const page = await visitor.press(form, 'Register', wrong)
    expect([page.status, noteOf(page)]).toEqual([400, 'Nothing was registered yet: 2 fields need another look.'])
    expect(textOf(page, '#redirectUrl-problem')).toBe('This is not an http or https URL.')
    expect(textOf(page, '#privateContactTelephone-problem')).toContain('is not a telephone number')
    for (const [name, value] of Object.entries(wrong).filter(
      ([field]) => !field.endsWith('s') && field !== 'endOfAccessPolicy',
    )) {
      expect([name, valueOf(page, name)]).toEqual([name, value])
    }
    const kept = page.document.querySelectorAll('[checked]').map((one) => one.getAttribute('value'))
    expect(kept).toEqual(['us-east-1', 'linux', 'm1.small'])

    const priced = await visitor.press(page, 'Register', {
      ...typed,
      oneTime: '1.234',
      'rate:InstanceHours:eu-west-1:linux:m1.small': '0.30',
      'rate:InstanceHours:us-east-1:linux:m1.small': 'much',
    })
    expect(textOf(priced, '#oneTime-problem')).toContain('at most 2 decimals')
    const problemsOfRates = priced.document.querySelectorAll('td .problem').map((one) => one.textContent)
    expect(problemsOfRates).toEqual([
      expect.stringContaining('"much" is not a rate'),
      expect.stringContaining('which the configuration does not cover'),
    ])
    const none = await house.database.read((tx) => listProducts(tx, { limit: 1000 }))
    expect(none.filter((one) => one.redirectUrl.startsWith('javascript'))).toEqual([])
  })

  test('the markup is shown before anything is registered, with a warning where hours lose money', async () => {
    const visitor = await signedIn()
    const form = await visitor.open(`${url}/seller/products/new`)
    const page = await visitor.press(form, 'Show the markup', {
      ...typed,
      'rate:InstanceHours:us-east-1:linux:m1.small': '0.04',
    })
    expect(noteOf(page)).toContain('0.06 USD are lost on each')
    expect(rowsOf(page, 'Hourly rates')[0]).toEqual(['m1.small, linux, us-east-1', '0.10', '', '-0.06 (-60.00 %)'])
    const gaining = await visitor.press(page, 'Show the markup', typed)
    expect(noteOf(gaining)).toContain('No hour is sold below the cloud’s rate.')
    expect((await visitor.open(`${url}/seller`)).text).toContain('You sell nothing yet.')
  })

  test('a draft is submitted, approved, sold and withdrawn', async () => {
    const seller = await signedIn()
    const form = await seller.open(`${url}/seller/products/new`)
    const draft = await seller.press(form, 'Keep as a draft', { ...typed, name: 'Drafted' })
    expect(noteOf(draft)).toContain('A draft')
    const waiting = await seller.press(draft, 'Submit for approval')
    const operator = await signedIn(house.town.operator)
    const code = textOf(waiting, '#product-code')
    const desk = await operator.open(`${url}/operator`)
    expect(desk.text).toContain(`code ${code}`)
    const forms = desk.document.querySelectorAll(`form[action="/operator/products/${code}"]`)
    expect(forms).toHaveLength(2)
    await house.town.asked(house.town.operator, 'POST', `/products/${code}/approve`)
    const approved = await seller.open(waiting.url)
    const purchase = await house.town.visitor().open(textOf(approved, '#purchase-url'))
    expect(textOf(purchase, 'h1')).toBe('Drafted')
    const withdrawn = await seller.press(approved, 'Withdraw for good')
    expect(noteOf(withdrawn)).toBe('No longer sold; existing subscribers go on.')
    expect((await house.town.visitor().open(purchase.url)).status).toBe(404)
  })
})

describe('activity', () => {
  test('the month to date, the month before, the transactions; another seller’s are not in it', async () => {
    const seller = await house.newPerson()
    const product = await house.town.sell(seller)
    await house.subscribe(await house.newPerson(), product)
    await house.subscribe(await house.newPerson(), product)
    const visitor = await signedIn(seller)
    const page = await visitor.open(`${url}/seller`)
    expect(textOf(page, '#expected-revenue')).toBe('$20.00')
    expect(rowsOf(page, 'Revenue, costs and fees by product')).toEqual([
      ['ABC AMI', '$20.00', '$20.00', '$0.00', '$0.00', '$20.00', '-$0.60', '2', '$19.40'],
      ['Total', '$20.00', '$20.00', '$0.00', '$0.00', '$20.00', '-$0.60', '2', '$19.40'],
    ])
    expect(rowsOf(page, 'Subscriptions of 2026-06 by product')).toEqual([['ABC AMI', '2', '2', '0']])
    expect(rowsOf(page, 'Transactions').map((row) => [row[1], row[5]])).toEqual(
      expect.arrayContaining([
        ['Deposit', '$10.00'],
        ['Transaction fee', '-$0.30'],
      ]),
    )
    const before = await visitor.open(`${url}/seller?month=2026-05`)
    expect(textOf(before, '#expected-revenue')).toBe('$0.00')
    expect((await visitor.open(`${url}/seller?month=May`)).status).toBe(400)
    const all = await visitor.follow(page, 'All transactions')
    expect(rowsOf(all, 'Transactions')).toHaveLength(4)
    const stranger = await signedIn()
    expect((await stranger.open(`${url}/seller/transactions`)).text).toContain('Nothing has moved your balance yet.')
  })
})
