/** Sellers, products and buyers for tests, made by the real verbs. */
import { readFileSync } from 'node:fs'
import { createAccount } from '../src/accounts/create-account.ts'
import type { Database } from '../src/database/database.ts'
import { approveProduct } from '../src/products/approve-product.ts'
import { loadRateCard } from '../src/products/load-rate-card.ts'
import type { ProductInput } from '../src/products/product-input.ts'
import { registerProduct, type Registration } from '../src/products/register-product.ts'

export const sampleRateCard = readFileSync(new URL('../rate-cards/sample.json', import.meta.url), 'utf8')

let accounts = 0

/** An account with a verified e-mail address of its own. */
export async function newAccount(database: Database, name = 'Somebody', emailVerified = true): Promise<string> {
  accounts += 1
  const email = `account-${process.pid}-${accounts}@example.com`
  const account = await database.transaction((tx) => createAccount(tx, { name, email, emailVerified }))
  return account.accountId
}

/** The product of spec §7: $20.00 a month, small $0.20, large $0.50, extra-large $0.90 an hour. */
export function sampleProduct(changes: Partial<ProductInput> = {}): ProductInput {
  const configuration = {
    regions: ['us-east-1'],
    environments: ['linux'],
    instanceTypes: ['m1.small', 'm1.large', 'm1.xlarge'],
  }
  const rate = (instanceType: string, perHour: string) => ({
    region: 'us-east-1',
    environment: 'linux',
    instanceType,
    rate: perHour,
  })
  return {
    companyName: 'ABC Software',
    name: 'ABC AMI',
    description: 'An image with everything in it.',
    redirectUrl: 'https://abc.example.com/welcome',
    privateContactEmail: 'owner@abc.example.com',
    privateContactTelephone: '+1 206 555 0100',
    publicContact: 'help@abc.example.com',
    configuration,
    price: { monthly: '20.00', rates: [rate('m1.small', '0.20'), rate('m1.large', '0.50'), rate('m1.xlarge', '0.90')] },
    currency: 'USD',
    ...changes,
  }
}

/** Loads the sample rate card where none is loaded, registers a product for a new seller and approves it. */
export async function newProduct(
  database: Database,
  changes: Partial<ProductInput> = {},
): Promise<Registration & { readonly sellerAccountId: string }> {
  await database.transaction((tx) => loadRateCard(tx, sampleRateCard))
  const sellerAccountId = await newAccount(database, 'ABC Software')
  return await database.transaction(async (tx) => {
    const registration = await registerProduct(tx, { accountId: sellerAccountId, input: sampleProduct(changes) })
    const { productCode } = registration.product
    const product = await approveProduct(tx, { productCode, actor: 'system' })
    return { ...registration, product, sellerAccountId }
  })
}
