/** A buyer's bills, and what the month has cost so far. */
import { z } from 'zod'
import { Fault } from '../../base/fault.ts'
import { formatMinor, formatRate, type Currency } from '../../base/money.ts'
import { estimateMonth } from '../../invoices/estimate-month.ts'
import { findInvoice, listInvoices } from '../../invoices/find-invoice.ts'
import type { Invoice, LineDraft } from '../../invoices/invoices.ts'
import { payNow } from '../../payments/pay-now.ts'
import { behind, limit, month, optionalMonth, uuid } from './parameters.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['buyer']
const params = z.object({ invoiceId: uuid('the id of a bill') })
export const moneyShape = z.object({ amount: z.string(), currency: z.string() })
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

z.globalRegistry.add(moneyShape, { id: 'Money' })
z.globalRegistry.add(lineShape, { id: 'InvoiceLine' })
z.globalRegistry.add(invoiceShape, { id: 'Invoice' })

export function addBillRoutes(scope: RestScope, house: RestHouse): void {
  addInvoiceRoutes(scope, house)
  addPayment(scope, house)
  scope.get(
    '/estimate',
    {
      schema: {
        operationId: 'estimateMonth',
        tags,
        summary: 'What a month has cost so far, per product',
        querystring: z.strictObject({ month: optionalMonth }),
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
      const of = { accountId, ...(query.month !== undefined && { month: query.month }) }
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

function addInvoiceRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/invoices',
    {
      schema: {
        operationId: 'listInvoices',
        tags,
        summary: 'One’s bills, newest first',
        querystring: z.strictObject({
          month: month.optional(),
          before: uuid('the id of a bill').optional().describe(behind),
          limit: limit(),
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
          ...(query.month !== undefined && { month: query.month }),
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
        operationId: 'getInvoice',
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
}

function addPayment(scope: RestScope, { database, processor }: RestHouse): void {
  scope.post(
    '/invoices/:invoiceId/pay',
    {
      schema: {
        operationId: 'payInvoice',
        tags,
        summary: 'Try at once to collect an open or unpaid bill; one that is paid already answers succeeded',
        params,
        response: {
          200: z.object({
            state: z
              .enum(['succeeded', 'failed', 'processing', 'nothing-due'])
              .describe('processing: the processor has not decided; look at the bill again'),
            message: z.string().optional().describe('Why it failed'),
          }),
        },
      },
    },
    async ({ caller: { accountId }, params: { invoiceId } }) => {
      // A client that lost the answer to its first request asks again.
      const found = await database.read((tx) => findInvoice(tx, { accountId, invoiceId }))
      if (found?.state === 'paid') return { state: 'succeeded' as const }
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
