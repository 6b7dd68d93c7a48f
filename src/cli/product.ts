/** `turnpike product`: registering and approving products. For the operator at the machine; sellers use the REST API or pages. */
import { readFile } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import { systemActor } from '../accounts/accounts.ts'
import { Fault } from '../base/fault.ts'
import { formatMinor } from '../base/money.ts'
import { publicUrlOf } from '../base/config.ts'
import type { Transaction } from '../database/database.ts'
import { approveProduct } from '../products/approve-product.ts'
import { listProducts, requireProduct } from '../products/find-product.ts'
import { priceInForce } from '../products/price-in-force.ts'
import type { PricingInput, ProductInput } from '../products/product-input.ts'
import { productStates, purchaseUrl, type Product, type ProductState } from '../products/products.ts'
import { quotePrice } from '../products/quote-price.ts'
import { registerProduct } from '../products/register-product.ts'
import { rejectProduct } from '../products/reject-product.ts'
import { submitProduct } from '../products/submit-product.ts'
import { withdrawProduct } from '../products/withdraw-product.ts'
import { print, table } from './output.ts'
import { readLimit } from './read-arguments.ts'
import { withHouse } from './with-house.ts'

export function addProductCommands(program: Command): void {
  const product = program
    .command('product')
    .description('Products: register, approve, price.')
    .addHelpText(
      'after',
      '\nExamples:\n  turnpike product list --state pending-approval\n  turnpike product approve 774F4FF8',
    )
  addRegister(product)
  addQuote(product)
  addList(product)
  addShow(product)
  addStateChange(product, 'submit', 'Hand a draft in for approval.', (tx, change) => submitProduct(tx, change))
  addStateChange(product, 'approve', 'Approve a product: from now on it sells.', (tx, change) =>
    approveProduct(tx, change),
  )
  addRejection(product)
  addStateChange(product, 'withdraw', 'Take a product off sale; subscribers go on.', (tx, change) =>
    withdrawProduct(tx, change),
  )
}

/** Reads a JSON file, or standard input for `-`. */
async function readJson(file: string): Promise<unknown> {
  let text = ''
  try {
    if (file === '-') for await (const chunk of process.stdin) text += String(chunk)
    else text = await readFile(file, 'utf8')
    return JSON.parse(text)
  } catch (error) {
    throw new Fault(
      'InvalidParameter',
      `${file === '-' ? 'Standard input' : file} cannot be read as JSON: ${(error as Error).message}`,
    )
  }
}

function addRegister(product: Command): void {
  product
    .command('register')
    .description('Register a product for an account from a JSON file (docs/operating/product-file.md).')
    .argument('<account-id>', 'the seller')
    .argument('<file>', 'JSON file, - for standard input')
    .option('--client-token <token>', 'makes a repeat harmless')
    .addHelpText('after', '\nExample:\n  turnpike product register 123456789012 product.json --client-token first')
    .action(async (accountId: string, file: string, options: { clientToken?: string }, command: Command) => {
      const input = (await readJson(file)) as ProductInput
      await withHouse(command, async ({ database }, json) => {
        const made = await database.transaction((tx) => registerProduct(tx, { accountId, input, ...options }))
        print(json, made, () =>
          [
            `${made.product.name} is registered, ${made.product.state}.`,
            `  Product code   ${made.product.productCode}`,
            `  Purchase URL   ${made.purchaseUrl}`,
            `  Product token  ${made.productToken}`,
          ].join('\n'),
        )
      })
    })
}

function addQuote(product: Command): void {
  product
    .command('quote')
    .description('Show a price beside the cloud’s own rates, without registering anything.')
    .argument('<file>', 'JSON file with configuration, price and currency; - for standard input')
    .addHelpText('after', '\nExample:\n  turnpike product quote price.json')
    .action(async (file: string, _options: unknown, command: Command) => {
      const input = (await readJson(file)) as PricingInput
      await withHouse(command, async ({ database }, json) => {
        const quote = await database.read((tx) => quotePrice(tx, input))
        print(json, quote, () =>
          [
            `One-time ${quote.oneTime} ${quote.currency}, monthly ${quote.monthly} ${quote.currency}`,
            table(
              ['dimension', 'price', 'cloud', 'markup', '%'],
              quote.rates.map((rate) => [
                rate.dimension,
                rate.rate,
                rate.cloudRate,
                rate.markup,
                rate.markupPercent ?? '',
              ]),
              'No dimensions.',
            ),
            ...quote.warnings.map((warning) => `! ${warning}`),
          ].join('\n'),
        )
      })
    })
}

function addList(product: Command): void {
  product
    .command('list')
    .description('List products.')
    .option('--seller <account-id>', 'of one seller')
    .addOption(new Option('--state <state>', 'in one state').choices(productStates))
    .option('--after <product-code>', 'continue behind this product')
    .option('--limit <n>', 'products at the most', readLimit, 100)
    .addHelpText('after', '\nExample:\n  turnpike product list --state pending-approval')
    .action(
      async (options: { seller?: string; state?: ProductState; after?: string; limit: number }, command: Command) => {
        await withHouse(command, async ({ database }, json) => {
          const { seller: sellerAccountId, ...page } = options
          const products = await database.read((tx) => listProducts(tx, { sellerAccountId, ...page }))
          print(json, products, () =>
            table(
              ['code', 'name', 'seller', 'state', 'since'],
              products.map((one) => [
                one.productCode,
                one.name,
                one.sellerAccountId,
                one.state,
                one.createdAt.toISOString().slice(0, 10),
              ]),
              'There are no such products.',
            ),
          )
        })
      },
    )
}

function addShow(product: Command): void {
  product
    .command('show')
    .description('Show a product with its price.')
    .argument('<product-code>')
    .addHelpText('after', '\nExample:\n  turnpike product show 774F4FF8')
    .action(async (productCode: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database, config }, json) => {
        const { found, price } = await database.read(async (tx) => ({
          found: await requireProduct(tx, productCode),
          price: await priceInForce(tx, productCode, tx.now),
        }))
        const url = purchaseUrl(publicUrlOf(config), found.offeringCode)
        print(json, { ...found, purchaseUrl: url, price: { ...price, rates: Object.fromEntries(price.rates) } }, () =>
          [
            `${found.productCode}  ${found.name} by ${found.companyName} (${found.sellerAccountId}), ${found.state}`,
            `  Purchase URL  ${url}`,
            `  One-time      ${formatMinor(price.oneTime, price.currency)} ${price.currency}`,
            `  Monthly       ${formatMinor(price.monthly, price.currency)} ${price.currency}`,
            `  Rates         ${price.rates.size} dimensions, price version ${price.version}`,
          ].join('\n'),
        )
      })
    })
}

function addStateChange(
  product: Command,
  verb: string,
  about: string,
  change: (tx: Transaction, request: { productCode: string; actor: string }) => Promise<Product>,
): void {
  product
    .command(verb)
    .description(about)
    .argument('<product-code>')
    .addHelpText('after', `\nExample:\n  turnpike product ${verb} 774F4FF8`)
    .action(async (productCode: string, _options: unknown, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const changed = await database.transaction((tx) => change(tx, { productCode, actor: systemActor }))
        print(json, changed, () => stateOf(changed))
      })
    })
}

function addRejection(product: Command): void {
  product
    .command('reject')
    .description('Reject a product for good.')
    .argument('<product-code>')
    .requiredOption('--reason <text>', 'why; the seller is told')
    .addHelpText('after', '\nExample:\n  turnpike product reject 774F4FF8 --reason "The terms are missing."')
    .action(async (productCode: string, { reason }: { reason: string }, command: Command) => {
      await withHouse(command, async ({ database }, json) => {
        const rejected = await database.transaction((tx) =>
          rejectProduct(tx, { productCode, actor: systemActor, reason }),
        )
        print(json, rejected, () => stateOf(rejected))
      })
    })
}

function stateOf({ productCode, name, state }: Product): string {
  return `${productCode} (${name}) is ${state}.`
}
