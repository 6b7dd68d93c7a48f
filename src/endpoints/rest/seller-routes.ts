/** What sellers read: activity, transactions, payouts, subscribers (spec §8). */
import { z } from 'zod'
import { Fault } from '../../base/fault.ts'
import { isUuid } from '../../base/ids.ts'
import { formatMinor } from '../../base/money.ts'
import { monthOf } from '../../base/period.ts'
import { parseInstant } from '../../base/time.ts'
import { sellerBalances } from '../../ledger/sum-balance.ts'
import { listPayouts } from '../../settlement/pay-out.ts'
import {
  sellerActivity,
  sellerTransactions,
  type ProductActivity,
  type SellerTransaction,
} from '../../settlement/seller-figures.ts'
import { subscriptionReport } from '../../subscriptions/subscription-report.ts'
import { behind, limit, month, optionalMonth, productCode as code } from './parameters.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['seller']
const payoutNoun = 'the number of a payout'
const payoutNumber = z.coerce.number(payoutNoun).int(payoutNoun).min(1, payoutNoun).max(2_147_483_647, payoutNoun)
const figureNames = [
  'oneTime',
  'monthly',
  'usageRevenue',
  'expectedRevenue',
  'actualRevenue',
  'refunds',
  'cost',
  'costCharged',
  'valueAdd',
  'percentageFees',
  'transactionFees',
  'net',
] as const satisfies readonly (keyof ProductActivity)[]
const figuresShape = z.object({
  currency: z.string(),
  transactions: z.number(),
  ...(Object.fromEntries(figureNames.map((name) => [name, z.string()])) as Record<
    (typeof figureNames)[number],
    z.ZodString
  >),
})

const transactionShape = z.object({
  transferId: z.string(),
  at: z.date(),
  kind: z.string(),
  amount: z.string().describe('Negative when it lessened the balance'),
  currency: z.string(),
  buyerAccountId: z.string().optional(),
  productCode: z.string().optional(),
  month: z.string().optional(),
  invoiceId: z.string().optional(),
})
z.globalRegistry.add(transactionShape, { id: 'Transaction' })

export function addSellerRoutes(scope: RestScope, house: RestHouse): void {
  addActivityRoute(scope, house)
  addSubscriptionReportRoute(scope, house)
  addTransactionsRoute(scope, house)
  addPayoutsRoute(scope, house)
}

function addActivityRoute(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/seller/activity',
    {
      schema: {
        operationId: 'getSellerActivity',
        tags,
        summary: 'A month per product and in all: use, revenue, cost, value-add, fees',
        querystring: z.strictObject({ month: optionalMonth }),
        response: {
          200: z.object({
            month: z.string(),
            products: z.array(
              figuresShape.extend({
                productCode: z.string(),
                name: z.string(),
                usage: z.array(
                  z.object({ dimension: z.string(), quantity: z.string(), amount: z.string(), cost: z.string() }),
                ),
              }),
            ),
            totals: z.array(figuresShape),
          }),
        },
      },
    },
    async ({ caller: { accountId: sellerAccountId }, query }) => {
      const of = { sellerAccountId, ...(query.month !== undefined && { month: query.month }) }
      const activity = await database.read((tx) => sellerActivity(tx, of))
      return {
        month: activity.month,
        products: activity.products.map((product) => ({
          ...figuresJson(product),
          productCode: product.productCode,
          name: product.name,
          usage: product.usage.map(({ dimension, quantity, amount, cost }) => ({
            dimension,
            quantity: quantity.toString(),
            amount: formatMinor(amount, product.currency),
            cost: formatMinor(cost, product.currency),
          })),
        })),
        totals: activity.totals.map(figuresJson),
      }
    },
  )
}

function addSubscriptionReportRoute(scope: RestScope, { database }: RestHouse): void {
  const counts = { subscribed: z.number(), subscribedNew: z.number(), cancelled: z.number() }
  scope.get(
    '/seller/subscription-report',
    {
      schema: {
        operationId: 'getSubscriptionReport',
        tags,
        summary: 'Subscribers, new ones, cancellations of a month',
        querystring: z.strictObject({ month: optionalMonth, productCode: code.optional() }),
        response: {
          200: z.object({
            month: z.string(),
            ...counts,
            products: z.array(z.object({ productCode: z.string(), name: z.string(), ...counts })),
          }),
        },
      },
    },
    ({ caller: { accountId: sellerAccountId }, query }) =>
      database.read(async (tx) => {
        const asked = query.month ?? monthOf(tx.now)
        const report = await subscriptionReport(tx, { sellerAccountId, month: asked, productCode: query.productCode })
        return { ...report, products: [...report.products] }
      }),
  )
}

function addTransactionsRoute(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/seller/transactions',
    {
      schema: {
        operationId: 'listSellerTransactions',
        tags,
        summary: 'Everything that moved the balance, newest first',
        querystring: z.strictObject({
          month: month.optional(),
          before: z.string().optional().describe(behind),
          limit: limit(),
        }),
        response: {
          200: z.object({
            balances: z.array(z.object({ amount: z.string(), currency: z.string() })),
            transactions: z.array(transactionShape),
            next: z.string().optional(),
          }),
        },
      },
    },
    async ({ caller: { accountId: sellerAccountId }, query }) => {
      const before = query.before === undefined ? undefined : readCursor(query.before)
      const { balances, rows } = await database.read(async (tx) => ({
        balances: await sellerBalances(tx, { sellerAccountId }),
        rows: await sellerTransactions(tx, {
          sellerAccountId,
          limit: query.limit,
          ...(query.month !== undefined && { month: query.month }),
          ...(before !== undefined && { before }),
        }),
      }))
      const last = rows.length === query.limit ? rows.at(-1) : undefined
      return {
        balances: balances.map(({ minor, currency }) => ({ amount: formatMinor(minor, currency), currency })),
        transactions: rows.map(transactionJson),
        ...(last && { next: `${last.at.toISOString()}_${last.transferId}` }),
      }
    },
  )
}

function addPayoutsRoute(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/seller/payouts',
    {
      schema: {
        operationId: 'listPayouts',
        tags,
        summary: 'Payouts, newest first',
        querystring: z.strictObject({ before: payoutNumber.optional().describe(behind), limit: limit() }),
        response: {
          200: z.object({
            payouts: z.array(
              z.object({
                payoutNumber: z.number(),
                amount: z.string(),
                currency: z.string(),
                state: z.string(),
                startedAt: z.date(),
                settledAt: z.date().optional(),
                failureMessage: z.string().optional(),
              }),
            ),
            next: z.string().optional(),
          }),
        },
      },
    },
    async ({ caller: { accountId: sellerAccountId }, query: { before, ...page } }) => {
      const payouts = await database.read((tx) =>
        listPayouts(tx, { sellerAccountId, ...page, ...(before !== undefined && { before }) }),
      )
      const last = payouts.length === page.limit ? payouts.at(-1) : undefined
      return {
        ...(last && { next: String(last.payoutNumber) }),
        payouts: payouts.map(
          ({ payoutNumber: number, amount, currency, state, startedAt, settledAt, failureMessage }) => ({
            payoutNumber: number,
            amount: formatMinor(amount, currency),
            currency,
            state,
            startedAt,
            ...(settledAt !== null && { settledAt }),
            ...(failureMessage !== null && { failureMessage }),
          }),
        ),
      }
    },
  )
}

function figuresJson(activity: Omit<ProductActivity, 'productCode' | 'name' | 'usage'>): z.output<typeof figuresShape> {
  const { currency, transactions } = activity
  const amounts = Object.fromEntries(figureNames.map((name) => [name, formatMinor(activity[name], currency)]))
  return { currency, transactions, ...(amounts as Record<(typeof figureNames)[number], string>) }
}

function transactionJson(row: SellerTransaction): z.output<typeof transactionShape> {
  const { transferId, at, kind, amount, currency, buyerAccountId, productCode, month: of, invoiceId } = row
  return {
    transferId,
    at,
    kind,
    amount: formatMinor(amount, currency),
    currency,
    ...(buyerAccountId !== null && { buyerAccountId }),
    ...(productCode !== null && { productCode }),
    ...(of !== null && { month: of }),
    ...(invoiceId !== null && { invoiceId }),
  }
}

function readCursor(text: string): { at: Date; transferId: string } {
  const [instant = '', transferId = '', ...rest] = text.split('_')
  const at = parseInstant(instant)
  if (at !== undefined && isUuid(transferId) && rest.length === 0) return { at, transferId }
  throw new Fault('InvalidParameter', `before is ${JSON.stringify(text)}, not the "next" of the page before.`, {
    data: { parameter: 'before' },
  })
}
