import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { newAccount, sampleRateCard } from '../../test/products.ts'
import { loadRateCard } from '../products/load-rate-card.ts'
import { productInput, type ProductInput } from '../products/product-input.ts'
import { registerProduct } from '../products/register-product.ts'

const page = readFileSync(new URL('../../docs/operating/product-file.md', import.meta.url), 'utf8')
const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? []

let house: TestDatabase
beforeAll(async () => {
  house = await testDatabase()
})
afterAll(() => house.close())

test('the example of the page registers on the sample rate card', async () => {
  const input = JSON.parse(example) as ProductInput
  await house.database.transaction((tx) => loadRateCard(tx, sampleRateCard))
  const accountId = await newAccount(house.database)
  const made = await house.database.transaction((tx) => registerProduct(tx, { accountId, input }))
  expect(made.product).toMatchObject({ name: input.name, terms: input.terms, state: 'pending-approval' })
})

test('the page has every field, needed or optional as it is, and no other', () => {
  const rows = [...page.matchAll(/^\| `([\w.]+)` +\| (needed|optional) +\|/gm)]
  const told = Object.fromEntries(rows.map(([, field = '', need]) => [field, need]))
  const known: Record<string, string> = {}
  for (const [name, field] of Object.entries<z.ZodType>(productInput.shape)) {
    const inner = field instanceof z.ZodObject ? Object.entries<z.ZodType>(field.shape) : undefined
    const leaves = inner?.map(([leaf, schema]) => [`${name}.${leaf}`, schema] as const) ?? [[name, field] as const]
    for (const [path, schema] of leaves) known[path] = schema.safeParse(undefined).success ? 'optional' : 'needed'
  }
  expect(told).toEqual(known)
})
