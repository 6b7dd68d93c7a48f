/** What buyers do: subscriptions, bills, the month so far. */
import { z } from 'zod'
import { Fault } from '../../base/fault.ts'
import { formatMinor, formatRate, type Currency } from '../../base/money.ts'
import { parseMonth } from '../../base/period.ts'
import { estimateMonth } from '../../invoices/estimate-month.ts'
import { findInvoice, listInvoices } from '../../invoices/find-invoice.ts'
import type { Invoice, LineDraft } from '../../invoices/invoices.ts'
import { cancelSubscription } from '../../orders/cancel-subscription.ts'
import { payNow } from '../../payments/pay-now.ts'
import { listSubscriptions } from '../../subscriptions/find-subscription.ts'
import { makeActivationKey } from '../../subscriptions/make-activation-key.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['buyer']
const month = z.string().optional().describe('YYYY-MM; the present month when left out')
const moneyShape = z.object({ amount: z.string(), currency: z.string() })
const subscriptionShape = z.object({
  subscriptionId: z.string(),
  productCode: z.string(),
  sellerAccountId: z.string(),
  state: z.string(),
  endReason: z.string().optional(),
  createdAt: z.date(),
  activatedAt: z.date().optional(),
  endedAt: z.date().optional(),
})
const lineShape = z.object({
  productCode: z.string(),
  sellerAccountId: z.string(),
  subscriptionId: z.string(),
  kind: z.string(),
  dimension: z.string().optional(),
  month: z.string(),
  periodStart: z.date(),
  periodEnd: z.date(),
  quantity: z.string(),
  rate: z.string().optional(),
  amount: z.string(),
})
const invoiceShape = z.object({
  invoiceId: z.string(),
  kind: z.string(),
  month: z.string(),
  currency: z.string(),
  total: z.string(),
  amountDue: z.string(),
  state: z.string(),
  issuedAt: z.date(),
  paidAt: z.date().optional(),
  attemptDueAt: z.date().optional(),
})

export function addBuyerRoutes(scope: RestScope, house: RestHouse): void {
  addSubscriptionRoutes(scope, house)
  addInvoiceRoutes(scope, house)
  scope.get(
    '/estimate',
    {
      schema: {
        tags,
        summary: 'What a month has cost so far, per product',
        querystring: z.object({ month }),
        response: {
          200: z.object({
            month: z.string(),
            final: z.boolean(),
            products: z.array(
              moneyShape.extend({ productCode: z.string(), sellerAccountId: z.string(), lines: z.array(lineShape) }),
            ),
            totals: z.array(moneyShape),
          }),
        },
      },
    },
    async ({ caller: { accountId }, query }) => {
      const of = { accountId, ...(query.month !== undefined && { month: parseMonth(query.month) }) }
      const estimate = await house.database.read((tx) => estimateMonth(tx, of))
      return {
        month: estimate.month,
        final: estimate.final,
        products: estimate.products.map(({ productCode, sellerAccountId, currency, amount, lines }) => ({
          productCode,
          sellerAccountId,
          currency,
          amount: formatMinor(amount, currency),
          lines: lines.map((line) => lineJson(line, currency)),
        })),
        totals: estimate.totals.map(({ currency, amount }) => ({ currency, amount: formatMinor(amount, currency) })),
      }
    },
  )
}

function addSubscriptionRoutes(scope: RestScope, { database }: RestHouse): void {
  const params = z.object({ subscriptionId: z.string() })
  scope.get(
    '/subscriptions',
    {
      schema: {
        tags,
        summary: 'One’s subscriptions, ended ones too',
        response: { 200: z.object({ subscriptions: z.array(subscriptionShape) }) },
      },
    },
    async ({ caller: { accountId } }) => ({
      subscriptions: await database.read((tx) => listSubscriptions(tx, { accountId })),
    }),
  )

  scope.post(
    '/subscriptions/:subscriptionId/cancel',
    {
      schema: {
        tags,
        summary: 'Cancel at once; the unused part of the month’s charge is refunded',
        params,
        response: {
          200: z.object({ subscription: subscriptionShape, cancelled: z.boolean(), refund: moneyShape.optional() }),
        },
      },
    },
    async ({ caller: { accountId }, params: { subscriptionId } }) => {
      const { refund, ...result } = await database.transaction((tx) =>
        cancelSubscription(tx, { accountId, subscriptionId, actor: accountId }),
      )
      return {
        ...result,
        ...(refund && { refund: { amount: formatMinor(refund.minor, refund.currency), currency: refund.currency } }),
      }
    },
  )

  scope.post(
    '/subscriptions/:subscriptionId/activation-keys',
    {
      schema: {
        tags,
        summary: 'Make an activation key, good for an hour; answered this once',
        params,
        response: { 201: z.object({ activationKey: z.string() }) },
      },
    },
    async ({ caller: { accountId }, params: { subscriptionId } }, reply) => {
      const activationKey = await database.transaction((tx) => makeActivationKey(tx, { accountId, subscriptionId }))
      return await reply.code(201).send({ activationKey })
    },
  )
}

function addInvoiceRoutes(scope: RestScope, { database, processor }: RestHouse): void {
  const params = z.object({ invoiceId: z.uuid() })
  scope.get(
    '/invoices',
    {
      schema: {
        tags,
        summary: 'One’s bills, newest first',
        querystring: z.object({
          month: z.string().optional().describe('YYYY-MM'),
          before: z.uuid().optional().describe('The last bill of the page before'),
          limit: z.coerce.number().int().min(1).max(100).default(100),
        }),
        response: { 200: z.object({ invoices: z.array(invoiceShape), next: z.string().optional() }) },
      },
    },
    async ({ caller: { accountId }, query }) => {
      const invoices = await database.read(async (tx) => {
        const before =
          query.before === undefined ? undefined : await findInvoice(tx, { accountId, invoiceId: query.before })
        if (query.before !== undefined && before === undefined) throw noSuchInvoice(query.before)
        return await listInvoices(tx, {
          accountId,
          limit: query.limit,
          ...(query.month !== undefined && { month: parseMonth(query.month) }),
          ...(before !== undefined && { before }),
        })
      })
      const last = invoices.length === query.limit ? invoices.at(-1) : undefined
      return { invoices: invoices.map(invoiceJson), ...(last && { next: last.invoiceId }) }
    },
  )

  scope.get(
    '/invoices/:invoiceId',
    {
      schema: {
        tags,
        summary: 'A bill with its lines and the bills carried into it',
        params,
        response: { 200: invoiceShape.extend({ lines: z.array(lineShape), carried: z.array(invoiceShape) }) },
      },
    },
    async ({ caller: { accountId }, params: { invoiceId } }) => {
      const invoice = await database.read((tx) => findInvoice(tx, { accountId, invoiceId }))
      if (invoice === undefined) throw noSuchInvoice(invoiceId)
      return {
        ...invoiceJson(invoice),
        lines: invoice.lines.map((line) => lineJson(line, invoice.currency)),
        carried: invoice.carried.map(invoiceJson),
      }
    },
  )

  scope.post(
    '/invoices/:invoiceId/pay',
    {
      schema: {
        tags,
        summary: 'Try at once to collect an open or unpaid bill',
        params,
        response: { 200: z.object({ state: z.string(), message: z.string().optional() }) },
      },
    },
    async ({ caller: { accountId }, params: { invoiceId } }) => {
      const paid = await payNow(database, processor, { accountId, invoiceId })
      return { state: paid.state, ...('message' in paid && { message: paid.message }) }
    },
  )
}

function noSuchInvoice(invoiceId: string): Fault {
  return new Fault('NotFound', `There is no bill ${invoiceId} in this account.`)
}

function invoiceJson(invoice: Invoice): z.output<typeof invoiceShape> {
  const { invoiceId, kind, month: billed, currency, state, issuedAt, paidAt, attemptDueAt } = invoice
  return {
    invoiceId,
    kind,
    month: billed,
    currency,
    total: formatMinor(invoice.total, currency),
    amountDue: formatMinor(invoice.amountDue, currency),
    state,
    issuedAt,
    ...(paidAt !== null && { paidAt }),
    ...(attemptDueAt !== null && { attemptDueAt }),
  }
}

function lineJson(line: LineDraft, currency: Currency): z.output<typeof lineShape> {
  const { productCode, sellerAccountId, subscriptionId, kind, dimension, periodStart, periodEnd, rateNano } = line
  return {
    productCode,
    sellerAccountId,
    subscriptionId,
    kind,
    ...(dimension !== null && { dimension }),
    month: line.month,
    periodStart,
    periodEnd,
    quantity: line.quantity.toString(),
    ...(rateNano !== null && { rate: formatRate(rateNano) }),
    amount: formatMinor(line.amount, currency),
  }
}
