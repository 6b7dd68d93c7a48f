/**
 * The order pipeline (spec §4) in a real browser that runs no script: what a browser enforces and a client that only
 * speaks HTTP does not (content security policy, cookies, form rules) must let the buyer through.
 */
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requireClient } from '../../tools/find-clients.ts'
import { goodCard, openTestHouse, type Person, type SellableProduct, type TestHouse } from '../house.ts'

let house: TestHouse
let browser: Browser
let product: SellableProduct
let buyer: Person

beforeAll(async () => {
  house = await openTestHouse()
  browser = await chromium.launch({ executablePath: requireClient('browser'), args: ['--no-sandbox'] })
  const seller = await house.newPerson()
  product = await house.town.sell(seller, { price: { oneTime: '5.00', monthly: '20.00' } })
  buyer = await house.newPerson()
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

/** A page without JavaScript, and what the browser refused on it. */
async function openPage(): Promise<{ page: Page; refused: string[] }> {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') refused.push(message.text())
  })
  page.on('requestfailed', (request) => refused.push(`${request.url()}: ${request.failure()?.errorText ?? ''}`))
  return { page, refused }
}

test('a buyer signs in, enters a card and places the order without a script', async () => {
  const { page, refused } = await openPage()
  await page.goto(product.purchaseUrl)
  await page.locator('main a.button[href^="/sign-in"]').click()
  await page.fill('input[name=email]', buyer.email)
  await page.fill('input[name=password]', buyer.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  expect(page.url()).toBe(product.purchaseUrl)

  await page.getByRole('button', { name: 'Add a card' }).click()
  expect(new URL(page.url()).pathname).toMatch(/\/checkout\//)
  await page.fill('input[name=number]', goodCard)
  await page.fill('input[name=expires]', '12 / 39')
  await page.fill('input[name=cvc]', '123')
  await page.getByRole('button', { name: 'Save card' }).click()
  expect(page.url()).toBe(product.purchaseUrl)
  expect(await page.textContent('main')).toContain('4242')

  for (const box of await page.getByRole('checkbox').all()) await box.check()
  await page.getByRole('button', { name: 'Place your order' }).click()
  const confirmation = (await page.textContent('main')) ?? ''
  expect(confirmation).toMatch(/\bA[A-Z2-7]{27}\b/)
  await house.settle()

  await page.goto(`${house.town.url}/billing`)
  expect(await page.textContent('main')).toContain('$25.00')
  expect(refused).toEqual([])
})

test('every page of the way fits a telephone and names its fields', async () => {
  const { page } = await openPage()
  await page.setViewportSize({ width: 360, height: 740 })
  for (const path of [new URL(product.purchaseUrl).pathname, '/sign-in', '/sign-up']) {
    await page.goto(`${house.town.url}${path}`)
    const [width] = await page.locator('html').evaluateAll((roots) => roots.map((root) => root.scrollWidth))
    expect(width, `${path} is wider than the screen`).toBeLessThanOrEqual(360)
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    expect(await page.locator('h1').count(), `${path} has one heading`).toBe(1)
    for (const input of await page.locator('main input:not([type=hidden])').all()) {
      const id = (await input.getAttribute('id')) ?? ''
      const labelled =
        (await page.locator(`label[for="${id}"]`).count()) + (await input.locator('xpath=ancestor::label').count())
      expect(labelled, `${path}: the field ${String(await input.getAttribute('name'))} has a label`).toBeGreaterThan(0)
    }
  }
})
