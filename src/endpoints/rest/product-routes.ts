/** Products: the seller registers and withdraws, the operator approves and rejects. */
import { z } from 'zod'
import type { Caller } from '../../accounts/accounts.ts'
import { publicUrlOf } from '../../base/config.ts'
import { Fault } from '../../base/fault.ts'
import { formatMinor, formatRate } from '../../base/money.ts'
import type { Transaction } from '../../database/database.ts'
import { configurationOf } from '../../products/allows.ts'
import { approveProduct } from '../../products/approve-product.ts'
import { rateCardInForce } from '../../products/find-rate-card.ts'
import { listProducts, productToken, requireProduct } from '../../products/find-product.ts'
import { priceInForce } from '../../products/price-in-force.ts'
import { pricingInput, productInput } from '../../products/product-input.ts'
import { productStates, purchaseUrl, type Product } from '../../products/products.ts'
import { quotePrice } from '../../products/quote-price.ts'
import { registerProduct } from '../../products/register-product.ts'
import { rejectProduct } from '../../products/reject-product.ts'
import { submitProduct } from '../../products/submit-product.ts'
import { withdrawProduct } from '../../products/withdraw-product.ts'
import { requireOperatorCaller } from './operator-routes.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['products']
const productShape = z.object({
  productCode: z.string(),
  sellerAccountId: z.string(),
  companyName: z.string(),
  name: z.string(),
  description: z.string(),
  redirectUrl: z.string(),
  terms: z.string().optional(),
  privateContactEmail: z.string(),
  privateContactTelephone: z.string(),
  publicContact: z.string(),
  currency: z.string(),
  endOfAccessPolicy: z.string(),
  state: z.enum(productStates),
  stateReason: z.string().optional(),
  createdAt: z.date(),
  purchaseUrl: z.string(),
})
const detailShape = productShape.extend({
  productToken: z.string().optional().describe('For the seller alone.'),
  configuration: z.array(z.object({ region: z.string(), environment: z.string(), instanceType: z.string() })),
  price: z.object({
    version: z.number(),
    effectiveAt: z.date(),
    oneTime: z.string(),
    monthly: z.string(),
    rates: z.array(z.object({ dimension: z.string(), rate: z.string() })),
  }),
})
const codeParameters = z.object({ productCode: z.string() })

export function addProductRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.post(
    '/products',
    {
      schema: {
        tags,
        summary: 'Register a product',
        description: 'An Idempotency-Key header makes a repeat harmless.',
        body: productInput,
        response: { 201: z.object({ product: productShape, productToken: z.string(), purchaseUrl: z.string() }) },
      },
      // The domain checks the same schema and says every bad field in one sentence of its own.
      validatorCompiler: () => (value) => ({ value }),
    },
    async ({ caller: { accountId }, body, headers }, reply) => {
      const clientToken = headers['idempotency-key']
      const made = await database.transaction((tx) =>
        registerProduct(tx, {
          accountId,
          input: body,
          clientToken: typeof clientToken === 'string' ? clientToken : undefined,
        }),
      )
      const { product, productToken: token, purchaseUrl: url } = made
      return await reply
        .code(201)
        .send({ product: { ...product, purchaseUrl: url }, productToken: token, purchaseUrl: url })
    },
  )

  scope.get(
    '/products',
    {
      schema: {
        tags,
        summary: 'List products: one’s own, or all for an operator',
        querystring: z.object({
          state: z.enum(productStates).optional(),
          after: z.string().optional(),
          limit: z.coerce.number().int().min(1).max(1000).optional(),
          all: z.stringbool().optional().describe('For operators: of every seller.'),
        }),
        response: { 200: z.object({ products: z.array(productShape), next: z.string().optional() }) },
      },
    },
    async ({ caller, query: { all, limit = 100, ...query } }) => {
      if (all === true) requireOperatorCaller(caller)
      const sellerAccountId = all === true ? undefined : caller.accountId
      const products = await database.read((tx) => listProducts(tx, { sellerAccountId, limit, ...query }))
      const last = products.length === limit ? products.at(-1) : undefined
      return { products: products.map((one) => withUrl(database, one)), ...(last && { next: last.productCode }) }
    },
  )

  scope.get(
    '/products/:productCode',
    {
      schema: {
        tags,
        summary: 'A product with its configuration and price',
        params: codeParameters,
        response: { 200: detailShape },
      },
    },
    ({ caller, params }) =>
      database.read(async (tx) => {
        const product = await ownProduct(tx, caller, params.productCode)
        const price = await priceInForce(tx, product.productCode, tx.now)
        return {
          ...withUrl(database, product),
          ...(product.sellerAccountId === caller.accountId && {
            productToken: await productToken(tx, product.productCode),
          }),
          configuration: [...(await configurationOf(tx, product.productCode))],
          price: {
            version: price.version,
            effectiveAt: price.effectiveAt,
            oneTime: formatMinor(price.oneTime, price.currency),
            monthly: formatMinor(price.monthly, price.currency),
            rates: [...price.rates].map(([dimension, nano]) => ({ dimension, rate: formatRate(nano) })),
          },
        }
      }),
  )

  addStateRoutes(scope, database)
  addPricingRoutes(scope, database)
}

function addStateRoutes(scope: RestScope, database: RestHouse['database']): void {
  type Change = (tx: Transaction, request: { productCode: string; actor: string; reason?: string }) => Promise<Product>
  // Who may do what is the verbs' own matter.
  const changes: Record<string, { summary: string; change: Change }> = {
    submit: { summary: 'Hand a draft in for approval', change: submitProduct },
    withdraw: { summary: 'Take a product off sale; subscribers go on', change: withdrawProduct },
    approve: { summary: 'Operators: approve a product, from now on it sells', change: approveProduct },
    reject: {
      summary: 'Operators: reject a product for good',
      change: (tx, { reason = '', ...request }) => rejectProduct(tx, { ...request, reason }),
    },
  }
  for (const [verb, { summary, change }] of Object.entries(changes)) {
    scope.post(
      `/products/:productCode/${verb}`,
      {
        schema: {
          tags,
          summary,
          params: codeParameters,
          body: z.strictObject({ reason: z.string().optional() }).nullish(),
          response: { 200: productShape },
        },
      },
      ({ caller, params: { productCode }, body }) =>
        database.transaction(async (tx) => {
          const request = {
            productCode,
            actor: caller.accountId,
            ...(body?.reason !== undefined && { reason: body.reason }),
          }
          return withUrl(database, await change(tx, request))
        }),
    )
  }
}

function addPricingRoutes(scope: RestScope, database: RestHouse['database']): void {
  scope.post(
    '/price-quotes',
    {
      schema: {
        tags,
        summary: 'Show a price beside the cloud’s own rates; registers nothing',
        body: pricingInput,
        response: {
          200: z.object({
            currency: z.string(),
            oneTime: z.string(),
            monthly: z.string(),
            rateCardVersion: z.number(),
            rates: z.array(
              z.object({
                dimension: z.string(),
                region: z.string(),
                environment: z.string(),
                instanceType: z.string(),
                rate: z.string(),
                cloudRate: z.string(),
                markup: z.string(),
                markupPercent: z.string().optional(),
              }),
            ),
            warnings: z.array(z.string()),
          }),
        },
      },
      validatorCompiler: () => (value) => ({ value }),
    },
    async ({ body }) => {
      const quote = await database.read((tx) => quotePrice(tx, body))
      return { ...quote, rates: [...quote.rates], warnings: [...quote.warnings] }
    },
  )

  scope.get(
    '/rate-card',
    {
      schema: {
        tags,
        summary: 'The cloud’s own rates in force',
        response: {
          200: z.object({
            version: z.number(),
            currency: z.string(),
            rates: z.array(z.object({ dimension: z.string(), rate: z.string() })),
          }),
        },
      },
    },
    async () => {
      const card = await database.read((tx) => rateCardInForce(tx, tx.now))
      const rates = [...card.rates].map(([dimension, nano]) => ({ dimension, rate: formatRate(nano) }))
      return { version: card.version, currency: card.currency, rates }
    },
  )
}

function withUrl(database: RestHouse['database'], product: Product): Product & { purchaseUrl: string } {
  return { ...product, purchaseUrl: purchaseUrl(publicUrlOf(database.config), product.offeringCode) }
}

/** The caller's own product, or any for an operator; others are told it does not exist. */
async function ownProduct(tx: Transaction, caller: Caller, productCode: string): Promise<Product> {
  const product = await requireProduct(tx, productCode)
  if (product.sellerAccountId !== caller.accountId && !caller.operator) {
    throw new Fault('ProductNotFound', `There is no product ${productCode}.`)
  }
  return product
}
