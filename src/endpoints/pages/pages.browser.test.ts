/** The pages as a real browser takes them: without JavaScript, with a keyboard, under their content security policy. */
import { randomUUID } from 'node:crypto'
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listAccessKeys } from '../../accounts/list-access-keys.ts'
import { listMails } from '../../notices/read-mailbox.ts'
import { writeMail } from '../../notices/write-mail.ts'
import { requireClient } from '../../../tools/find-clients.ts'
import {
  decliningCard,
  goodCard,
  openTestHouse,
  type Person,
  type SellableProduct,
  type TestHouse,
} from '../../../test/house.ts'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let house: TestHouse
let product: SellableProduct
let browser: Browser
let url: string
/** What the browser complained about, apart from answers that were to be refusals. */
const complaints: string[] = []

beforeAll(async () => {
  house = await openTestHouse({ clock: new Date('2026-06-16T09:00:00Z') })
  url = house.service.url
  product = await house.town.sell(await house.newPerson(), { terms: 'Use it well.' })
  browser = await chromium.launch({ executablePath: requireClient('browser'), args: flags })
}, 120_000)
afterAll(async () => {
  await browser.close()
  await house.close()
})

/** A window of its own, without cookies; no request leaves the service but to pages the test gives. */
async function openWindow(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ javaScriptEnabled: false, ...options })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  return page
}

async function signIn(page: Page, { email, password }: Person): Promise<void> {
  await page.goto(`${url}/sign-in`)
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function enterCard(page: Page, number: string): Promise<void> {
  await page.getByLabel('Card number').fill(number)
  await page.getByLabel('Expires').fill('12 / 39')
  await page.getByLabel('Security code').fill('123')
  await page.getByRole('button', { name: 'Save card' }).click()
}

async function order(page: Page): Promise<void> {
  await page.goto(product.purchaseUrl)
  const addCard = page.getByRole('button', { name: 'Add a card' })
  if ((await addCard.count()) > 0) {
    await addCard.click()
    await enterCard(page, goodCard)
  }
  await page.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Place your order' }).click()
  await house.settle()
}

/** What the browser made of a style property. Scripts of a test run even where those of pages do not. */
async function styleOf(element: Locator, property: string): Promise<string> {
  return await element.evaluate((of: unknown, name) => {
    const { getComputedStyle } = globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> }
    return getComputedStyle(of)[name] ?? ''
  }, property)
}

async function heading(page: Page): Promise<string> {
  return (await page.getByRole('heading', { level: 1 }).innerText()).trim()
}

describe('a buyer without JavaScript', () => {
  test('goes from the purchase URL to the seller’s page with a key', async () => {
    const email = `${randomUUID()}@example.com`
    const page = await openWindow()
    await page.goto(product.purchaseUrl)
    await page.getByRole('link', { name: 'Make an account' }).click()
    await page.getByLabel('Your name').fill('Bea')
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password').fill('correct horse battery')
    await page.getByRole('button', { name: 'Make an account' }).click()
    expect(await heading(page)).toBe('Check your mail')
    const [mail] = await house.database.read((tx) => listMails(tx, { limit: 1, recipient: email }))
    await page.goto(/http\S+\/verify-email\?token=\S+/.exec(mail?.textBody ?? '')?.[0] ?? '')
    expect(page.url()).toBe(product.purchaseUrl)

    await page.getByRole('button', { name: 'Add a card' }).click()
    const save = page.getByRole('button', { name: 'Save card' })
    // The card page has a style of its own, under a policy that names it by its hash.
    expect(await styleOf(save, 'backgroundColor')).toBe('rgb(31, 95, 191)')
    await enterCard(page, '4000000000000002')
    expect(await page.getByRole('alert').innerText()).toBe('Your card was declined.')
    await enterCard(page, goodCard)
    expect(page.url()).toBe(product.purchaseUrl)

    const place = page.getByRole('button', { name: 'Place your order' })
    await place.click()
    // The browser itself holds the form back until the terms are accepted.
    expect(await heading(page)).toBe('ABC AMI')
    await page.getByRole('checkbox').check()
    await place.click()
    expect(await heading(page)).toBe('Thank you, your order is placed')
    const key = (await page.locator('#activation-key').innerText()).trim()
    await page.route('https://abc.example.com/**', (route) => route.fulfill({ body: 'welcome' }))
    await page.getByRole('link', { name: 'Go to application' }).click()
    expect(page.url()).toBe(`https://abc.example.com/welcome?ActivationKey=${key}&ProductCode=${product.productCode}`)
  })

  test('orders once from two tabs, and cancels', async () => {
    const page = await openWindow()
    await signIn(page, await house.newPerson())
    await page.goto(product.purchaseUrl)
    await page.getByRole('button', { name: 'Add a card' }).click()
    await enterCard(page, goodCard)
    const other = await page.context().newPage()
    await other.goto(product.purchaseUrl)
    await order(page)
    await other.getByRole('checkbox').check()
    await other.getByRole('button', { name: 'Place your order' }).click()
    expect([await heading(page), await heading(other)]).toEqual([
      'Thank you, your order is placed',
      'You have this already',
    ])
    await page.goto(`${url}/billing?product=${product.productCode}`)
    await page.getByRole('link', { name: 'Cancel use' }).click()
    await page.getByRole('button', { name: 'Cancel use' }).click()
    expect(await page.getByRole('status').innerText()).toContain('$9.33 is refunded')
    // Nothing is stored, so going back asks again; the question is no longer put.
    await page.goBack()
    expect([await heading(page), await page.getByRole('button', { name: 'Cancel use' }).count()]).toEqual([
      'ABC AMI',
      0,
    ])
  })

  test('pays a bill that failed', async () => {
    const page = await openWindow()
    await signIn(page, await house.newPerson())
    await order(page)
    await page.goto(`${url}/billing`)
    await page.getByRole('button', { name: 'Use another card' }).click()
    await enterCard(page, decliningCard)
    await house.town.advance('2026-07-23T00:00:00Z')
    await page.goto(`${url}/billing`)
    expect(await page.getByRole('alert').innerText()).toContain('You owe $20.00')
    await page.getByRole('button', { name: 'Pay $20.00 of 2026-06 now' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('Your card was declined.')
    await page.getByRole('link', { name: 'Use another card' }).click()
    await page.getByRole('button', { name: 'Use another card' }).click()
    await enterCard(page, goodCard)
    await house.settle()
    await page.goto(`${url}/billing`)
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.getByRole('link', { name: '2026-07-01' }).click()
    expect(await page.getByText('Paid. Thank you.').count()).toBe(1)
  })

  test('signs in with the keyboard alone', async () => {
    const { email, password } = await house.newPerson()
    const page = await openWindow()
    await page.goto(`${url}/sign-in?continue=/account`)
    const focused = () => page.locator(':focus')
    await page.keyboard.press('Tab')
    expect(await focused().innerText()).toBe('Skip to content')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await focused().getAttribute('name')).toBe('email')
    await page.keyboard.type(email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${url}/account`)
    expect(await heading(page)).toBe('Account')
  })
})

test('a seller registers a product; the operator approves it', async () => {
  const page = await openWindow()
  await signIn(page, await house.newPerson())
  await page.goto(`${url}/seller/products/new`)
  await page.getByLabel('Company name').fill('Wood & Sons')
  await page.getByLabel('Product name').fill('Chairs')
  await page.getByRole('button', { name: 'Register', exact: true }).click()
  expect(await page.getByRole('alert').innerText()).toContain('fields need another look')
  expect(await page.getByLabel('Company name').inputValue()).toBe('Wood & Sons')
  await page.getByLabel('Description').fill('Four legs.\nOne seat.')
  await page.getByLabel('Redirect URL').fill('https://wood.example.com/')
  await page.getByLabel('Public contact').fill('help@wood.example.com')
  await page.getByLabel('Private telephone number').fill('+1 206 555 0100')
  for (const box of ['us-east-1', 'linux', 'm1.small']) await page.getByLabel(box, { exact: true }).check()
  await page.getByLabel('m1.small, linux, us-east-1').fill('0.25')
  await page.getByRole('button', { name: 'Show the markup' }).click()
  expect(await page.getByRole('row', { name: /m1\.small, linux, us-east-1/ }).innerText()).toContain('150.00 %')
  await page.getByRole('button', { name: 'Register', exact: true }).click()
  expect(await heading(page)).toBe('Chairs')
  const code = await page.locator('#product-code').innerText()

  const operator = await openWindow()
  await signIn(operator, house.town.operator)
  await operator.getByRole('link', { name: 'Operator' }).click()
  await operator.getByRole('button', { name: 'Approve Chairs' }).click()
  await page.reload()
  expect(await page.getByText('approved', { exact: true }).count()).toBe(1)
  expect(code).toMatch(/^[0-9A-F]{8}$/)
})

describe('a browser that does run JavaScript', () => {
  test('runs none that a seller typed', async () => {
    const hostile = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`
    const target = await house.town.sell(await house.newPerson(), {
      companyName: hostile,
      name: hostile,
      description: hostile,
      terms: hostile,
      publicContact: `https://abc.example.com/?q=${hostile}`,
    })
    const page = await openWindow({ javaScriptEnabled: true })
    await page.goto(target.purchaseUrl)
    expect(await heading(page)).toBe(hostile)
    expect(await page.title()).toContain(hostile)
    expect(await page.locator('main script, main img').count()).toBe(0)
  })

  test('shows a mail in a frame that runs nothing, in the mail’s own look', async () => {
    const recipient = 'frame@example.com'
    await house.database.transaction((tx) =>
      writeMail(tx, {
        reference: 'test/frame',
        kind: 'test',
        recipient,
        subject: 'Framed',
        paragraphs: ['In a frame.'],
      }),
    )
    const page = await openWindow({ javaScriptEnabled: true })
    await signIn(page, house.town.operator)
    await page.goto(`${url}/operator/mailbox?recipient=${recipient}`)
    await page.getByRole('link', { name: 'Framed' }).click()
    const frame = page.frameLocator('iframe')
    expect(await frame.getByText('In a frame.').innerText()).toBe('In a frame.')
    expect(await styleOf(frame.locator('main'), 'maxWidth')).toBe('600px')
    const inside = (element: unknown) => (element as { contentDocument: unknown }).contentDocument
    expect(await page.locator('iframe').evaluate(inside)).toBeNull()
  })

  test('refuses what another site’s form sends', async () => {
    const victim = await house.newPerson()
    const page = await openWindow({ javaScriptEnabled: true })
    await signIn(page, victim)
    const form = `<form method="post" action="${url}/account/access-keys"><button>Win a prize</button></form>`
    await page.route('http://evil.example.com/**', (route) =>
      route.fulfill({ contentType: 'text/html', body: form, status: 200 }),
    )
    await page.goto('http://evil.example.com/')
    await page.getByRole('button', { name: 'Win a prize' }).click()
    await page.waitForURL(`${url}/account/access-keys`)
    expect(await heading(page)).toBe('Not allowed')
    const keys = await house.database.read((tx) => listAccessKeys(tx, victim.accountId))
    expect(keys).toHaveLength(1)
  })
})

test('nothing but tables is wider than a small screen, in light and in dark', async () => {
  const page = await openWindow({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
  await signIn(page, product.seller)
  for (const path of ['/', '/billing', '/activation', '/account', '/seller', '/seller/products/new', '/sign-up']) {
    await page.goto(url + path)
    const widths = await page.evaluate<number[]>('[document.documentElement.scrollWidth, window.innerWidth]')
    expect([path, ...widths]).toEqual([path, 360, 360])
  }
  const ground = () => styleOf(page.locator('html'), 'backgroundColor')
  const dark = await ground()
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await ground()).not.toBe(dark)
})

test('nothing on any of these pages was held back by its policy', () => {
  expect(complaints).toEqual([])
})
