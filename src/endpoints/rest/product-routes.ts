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
import { behind, flag, limit, productCode as code } from './parameters.ts'
import { refuseInputButBody } from './refuse-input.ts'
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
z.globalRegistry.add(productShape, { id: 'Product' })
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
z.globalRegistry.add(detailShape, { id: 'ProductDetail' })
const codeParameters = z.object({ productCode: code })
const keyNoun = '1 to 64 printable ASCII characters without spaces'

export function addProductRoutes(scope: RestScope, { database }: RestHouse): void {
  addRegistration(scope, database)
  scope.get(
    '/products',
    {
      schema: {
        operationId: 'listProducts',
        tags,
        summary: 'List products, oldest first: one’s own, or everyone’s for an operator',
        querystring: z.strictObject({
          state: z.enum(productStates, `one of ${productStates.join(', ')}`).optional(),
          after: code.optional().describe(behind),
          limit: limit(),
          all: flag.optional().describe('For operators: of every seller'),
        }),
        response: { 200: z.object({ products: z.array(productShape), next: z.string().optional() }) },
      },
    },
    async ({ caller, query: { all, ...query } }) => {
      if (all === true) requireOperatorCaller(caller)
      const sellerAccountId = all === true ? undefined : caller.accountId
      const products = await database.read((tx) => listProducts(tx, { sellerAccountId, ...query }))
      const last = products.length === query.limit ? products.at(-1) : undefined
      return { products: products.map((one) => withUrl(database, one)), ...(last && { next: last.productCode }) }
    },
  )

  scope.get(
    '/products/:productCode',
    {
      schema: {
        operationId: 'getProduct',
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

function addRegistration(scope: RestScope, database: RestHouse['database']): void {
  scope.post(
    '/products',
    {
      schema: {
        operationId: 'registerProduct',
        tags,
        summary: 'Register a product',
        headers: z.object({
          'idempotency-key': z
            .string(keyNoun)
            .regex(/^[\x21-\x7e]{1,64}$/, keyNoun)
            .optional()
            .describe('Makes a repeat harmless: the same key with the same body answers the same product'),
        }),
        body: productInput,
        response: { 201: z.object({ product: productShape, productToken: z.string(), purchaseUrl: z.string() }) },
      },
      validatorCompiler: refuseInputButBody,
    },
    async ({ caller: { accountId }, body, headers }, reply) => {
      const clientToken = headers['idempotency-key']
      const made = await database.transaction((tx) => registerProduct(tx, { accountId, input: body, clientToken }))
      const { product, productToken: token, purchaseUrl: url } = made
      return await reply
        .code(201)
        .send({ product: { ...product, purchaseUrl: url }, productToken: token, purchaseUrl: url })
    },
  )
}

function addStateRoutes(scope: RestScope, database: RestHouse['database']): void {
  type Change = (tx: Transaction, request: { productCode: string; actor: string }) => Promise<Product>
  const changes: Record<string, { summary: string; change: Change }> = {
    submit: { summary: 'Hand a draft in for approval', change: submitProduct },
    withdraw: { summary: 'Take a product off sale for good; subscribers go on', change: withdrawProduct },
    approve: { summary: 'For operators: approve a product; from now on it sells', change: approveProduct },
  }
  for (const [verb, { summary, change }] of Object.entries(changes)) {
    scope.post(
      `/products/:productCode/${verb}`,
      {
        schema: {
          operationId: `${verb}Product`,
          tags,
          summary,
          params: codeParameters,
          response: { 200: productShape },
        },
      },
      ({ caller, params: { productCode } }) =>
        database.transaction(async (tx) => {
          await ownProduct(tx, caller, productCode)
          return withUrl(database, await change(tx, { productCode, actor: caller.accountId }))
        }),
    )
  }

  scope.post(
    '/products/:productCode/reject',
    {
      schema: {
        operationId: 'rejectProduct',
        tags,
        summary: 'For operators: reject a product for good',
        params: codeParameters,
        body: z.strictObject({ reason: z.string('text; the seller reads it').describe('The seller reads it') }),
        response: { 200: productShape },
      },
    },
    ({ caller, params: { productCode }, body: { reason } }) =>
      database.transaction(async (tx) => {
        await ownProduct(tx, caller, productCode)
        return withUrl(database, await rejectProduct(tx, { productCode, reason, actor: caller.accountId }))
      }),
  )
}

function addPricingRoutes(scope: RestScope, database: RestHouse['database']): void {
  scope.post(
    '/price-quotes',
    {
      schema: {
        operationId: 'quotePrice',
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
      validatorCompiler: refuseInputButBody,
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
        operationId: 'getRateCard',
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
