/** What operators alone may do. */
import { z } from 'zod'
import type { Caller } from '../../accounts/accounts.ts'
import { listAccounts } from '../../accounts/find-account.ts'
import { verifyBankAccount } from '../../accounts/verify-bank-account.ts'
import { Fault } from '../../base/fault.ts'
import { parseMonth } from '../../base/period.ts'
import { parseInstant } from '../../base/time.ts'
import { closeMonth } from '../../invoices/close-month.ts'
import { listMails } from '../../notices/read-mailbox.ts'
import { prove } from '../../proof/prove.ts'
import { accountShape } from './account-routes.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['operator']
const limit = z.coerce.number().int().min(1).max(1000).default(100)
const stepShape = z.object({ at: z.date(), name: z.string() })

/** @throws Fault Forbidden for everyone but operators */
export function requireOperatorCaller(caller: Caller): void {
  if (!caller.operator) throw new Fault('Forbidden', 'Only an operator may do this.')
}

export function addOperatorRoutes(scope: RestScope, house: RestHouse): void {
  const { database } = house
  scope.get(
    '/accounts',
    {
      schema: {
        tags,
        summary: 'List accounts',
        querystring: z.object({ after: z.string().optional(), limit }),
        response: { 200: z.object({ accounts: z.array(accountShape), next: z.string().optional() }) },
      },
    },
    async ({ caller, query }) => {
      requireOperatorCaller(caller)
      const { after, ...page } = query
      const accounts = await database.read((tx) => listAccounts(tx, { ...page, ...(after !== undefined && { after }) }))
      const last = accounts.length === query.limit ? accounts.at(-1) : undefined
      return { accounts, ...(last && { next: last.accountId }) }
    },
  )

  scope.post(
    '/sellers/:sellerAccountId/verify-bank-account',
    {
      schema: {
        tags,
        summary: 'Record that a seller’s bank account is the seller’s: from then on it is paid',
        params: z.object({ sellerAccountId: z.string() }),
        response: {
          200: z.object({ sellerAccountId: z.string(), companyName: z.string(), bankAccountVerified: z.boolean() }),
        },
      },
    },
    ({ caller, params }) => database.transaction((tx) => verifyBankAccount(tx, { ...params, actor: caller.accountId })),
  )

  scope.get(
    '/mails',
    {
      schema: {
        tags,
        summary: 'The mailbox inside the service, newest first',
        querystring: z.object({
          recipient: z.string().optional(),
          before: z.string().optional(),
          limit: limit.default(20),
        }),
        response: {
          200: z.object({
            mails: z.array(
              z.object({
                mailId: z.string(),
                kind: z.string(),
                recipient: z.string(),
                subject: z.string(),
                textBody: z.string(),
                createdAt: z.date(),
              }),
            ),
          }),
        },
      },
    },
    async ({ caller, query: { recipient, before, ...page } }) => {
      requireOperatorCaller(caller)
      const mails = await database.read((tx) =>
        listMails(tx, {
          ...page,
          ...(recipient !== undefined && { recipient }),
          ...(before !== undefined && { before }),
        }),
      )
      return { mails }
    },
  )
  addMonthRoutes(scope, house)
  addClockRoutes(scope, house)
}

function addMonthRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.post(
    '/months/:month/close',
    {
      schema: {
        tags,
        summary: 'Close a month that has ended; again changes nothing',
        params: z.object({ month: z.string() }),
        response: {
          200: z.object({
            month: z.string(),
            done: z.number(),
            total: z.number(),
            parked: z.number(),
            finished: z.boolean(),
          }),
        },
      },
    },
    ({ caller, params }) => {
      requireOperatorCaller(caller)
      return closeMonth(database, { month: parseMonth(params.month) })
    },
  )

  scope.get(
    '/proof',
    {
      schema: {
        tags,
        summary: 'Check every invariant of the books',
        response: {
          200: z.object({
            ok: z.boolean(),
            checks: z.array(
              z.object({
                name: z.string(),
                statement: z.string(),
                ok: z.boolean(),
                count: z.number(),
                violations: z.array(z.unknown()),
              }),
            ),
          }),
        },
      },
    },
    async ({ caller }) => {
      requireOperatorCaller(caller)
      const { ok, checks } = await prove(database)
      return { ok, checks: checks.map((check) => ({ ...check, violations: [...check.violations] })) }
    },
  )
}

function addClockRoutes(scope: RestScope, house: RestHouse): void {
  const { database } = house
  const clockShape = z.object({ kind: z.enum(['system', 'manual']), now: z.date() })
  scope.get(
    '/clock',
    { schema: { tags, summary: 'Where the billing clock stands', response: { 200: clockShape } } },
    async () => ({ kind: database.clock.kind, now: await database.read((tx) => Promise.resolve(tx.now)) }),
  )

  scope.post(
    '/clock/advance',
    {
      schema: {
        tags,
        summary: 'Move the manual clock forward; what falls due on the way happens at its own instant',
        body: z.strictObject({ to: z.string().describe('ISO 8601 instant or day, UTC') }),
        response: { 200: z.object({ now: z.date(), steps: z.array(stepShape) }) },
      },
    },
    async ({ caller, body }) => {
      requireOperatorCaller(caller)
      const to = parseInstant(body.to)
      if (to === undefined) {
        throw new Fault('InvalidParameter', `"${body.to}" is no instant; write it as 2026-07-01T00:00:00Z.`, {
          data: { parameter: 'to' },
        })
      }
      const steps: { at: Date; name: string }[] = []
      await house.advance(to, (step) => steps.push({ ...step }))
      return { now: to, steps }
    },
  )
}
