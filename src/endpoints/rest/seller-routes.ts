/** What sellers read: activity, transactions, payouts, subscribers (spec §8). */
import { z } from 'zod'
import { Fault } from '../../base/fault.ts'
import { formatMinor } from '../../base/money.ts'
import { monthOf, parseMonth } from '../../base/period.ts'
import { parseInstant } from '../../base/time.ts'
import { sellerBalances } from '../../ledger/sum-balance.ts'
import { listPayouts } from '../../settlement/pay-out.ts'
import { sellerActivity, sellerTransactions, type ProductActivity } from '../../settlement/seller-figures.ts'
import { subscriptionReport } from '../../subscriptions/subscription-report.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['seller']
const month = z.string().optional().describe('YYYY-MM; the present month when left out')
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

export function addSellerRoutes(scope: RestScope, house: RestHouse): void {
  addActivityRoutes(scope, house)
  addMoneyRoutes(scope, house)
}

function addActivityRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/seller/activity',
    {
      schema: {
        tags,
        summary: 'A month per product and in all: use, revenue, cost, value-add, fees',
        querystring: z.object({ month }),
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
      const of = { sellerAccountId, ...(query.month !== undefined && { month: parseMonth(query.month) }) }
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

  const counts = { subscribed: z.number(), subscribedNew: z.number(), cancelled: z.number() }
  scope.get(
    '/seller/subscription-report',
    {
      schema: {
        tags,
        summary: 'Subscribers, new ones, cancellations of a month',
        querystring: z.object({ month, productCode: z.string().optional() }),
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
        const asked = query.month === undefined ? monthOf(tx.now) : parseMonth(query.month)
        const report = await subscriptionReport(tx, { sellerAccountId, month: asked, productCode: query.productCode })
        return { ...report, products: [...report.products] }
      }),
  )
}

function addMoneyRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/seller/transactions',
    {
      schema: {
        tags,
        summary: 'Everything that moved the balance, newest first',
        querystring: z.object({
          month: z.string().optional().describe('YYYY-MM'),
          before: z.string().optional().describe('`next` of the page before'),
          limit: z.coerce.number().int().min(1).max(100).default(100),
        }),
        response: {
          200: z.object({
            balances: z.array(z.object({ amount: z.string(), currency: z.string() })),
            transactions: z.array(
              z.object({
                transferId: z.string(),
                at: z.date(),
                kind: z.string(),
                amount: z.string(),
                currency: z.string(),
                buyerAccountId: z.string().optional(),
                productCode: z.string().optional(),
                month: z.string().optional(),
                invoiceId: z.string().optional(),
              }),
            ),
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
          ...(query.month !== undefined && { month: parseMonth(query.month) }),
          ...(before !== undefined && { before }),
        }),
      }))
      const last = rows.length === query.limit ? rows.at(-1) : undefined
      return {
        balances: balances.map(({ minor, currency }) => ({ amount: formatMinor(minor, currency), currency })),
        transactions: rows.map(({ buyerAccountId, productCode, month: of, invoiceId, ...row }) => ({
          transferId: row.transferId,
          at: row.at,
          kind: row.kind,
          amount: formatMinor(row.amount, row.currency),
          currency: row.currency,
          ...(buyerAccountId !== null && { buyerAccountId }),
          ...(productCode !== null && { productCode }),
          ...(of !== null && { month: of }),
          ...(invoiceId !== null && { invoiceId }),
        })),
        ...(last && { next: `${last.at.toISOString()}_${last.transferId}` }),
      }
    },
  )

  scope.get(
    '/seller/payouts',
    {
      schema: {
        tags,
        summary: 'Payouts, newest first',
        querystring: z.object({
          before: z.coerce.number().int().optional(),
          limit: z.coerce.number().int().min(1).max(100).default(100),
        }),
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
          }),
        },
      },
    },
    async ({ caller: { accountId: sellerAccountId }, query: { before, limit } }) => {
      const payouts = await database.read((tx) =>
        listPayouts(tx, { sellerAccountId, limit, ...(before !== undefined && { before }) }),
      )
      return {
        payouts: payouts.map(({ payoutNumber, amount, currency, state, startedAt, settledAt, failureMessage }) => ({
          payoutNumber,
          amount: formatMinor(amount, currency),
          currency,
          state,
          startedAt,
          ...(settledAt !== null && { settledAt }),
          ...(failureMessage !== null && { failureMessage }),
        })),
      }
    },
  )
}

function figuresJson(activity: Omit<ProductActivity, 'productCode' | 'name' | 'usage'>): z.output<typeof figuresShape> {
  const { currency, transactions } = activity
  const amounts = Object.fromEntries(figureNames.map((name) => [name, formatMinor(activity[name], currency)]))
  return { currency, transactions, ...(amounts as Record<(typeof figureNames)[number], string>) }
}

function readCursor(text: string): { at: Date; transferId: string } {
  const [, instant = '', transferId = ''] = /^([^_]+)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? []
  const at = parseInstant(instant)
  if (at !== undefined) return { at, transferId }
  throw new Fault('InvalidParameter', '"before" is the "next" of the page before.', { data: { parameter: 'before' } })
}
