/** What operators alone may do. */
import { z } from 'zod'
import type { Caller } from '../../accounts/accounts.ts'
import { listAccounts } from '../../accounts/find-account.ts'
import { verifyBankAccount } from '../../accounts/verify-bank-account.ts'
import { Fault } from '../../base/fault.ts'
import { closeMonth } from '../../invoices/close-month.ts'
import { listParked, releaseParked } from '../../invoices/parked-accounts.ts'
import { listMails } from '../../notices/read-mailbox.ts'
import { prove } from '../../proof/prove.ts'
import { accountShape } from './account-routes.ts'
import { accountId, behind, emailAddress, instant, limit, month, uuid } from './parameters.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['operator']
const closedShape = z.object({
  month: z.string(),
  done: z.number(),
  total: z.number(),
  parked: z.number(),
  finished: z.boolean(),
})
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
        operationId: 'listAccounts',
        tags,
        summary: 'List accounts',
        querystring: z.strictObject({ after: accountId.optional().describe(behind), limit: limit() }),
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
        operationId: 'verifyBankAccount',
        tags,
        summary: 'Record that a seller’s bank account is the seller’s: from then on it is paid',
        params: z.object({ sellerAccountId: accountId }),
        response: {
          200: z.object({ sellerAccountId: z.string(), companyName: z.string(), bankAccountVerified: z.boolean() }),
        },
      },
    },
    ({ caller, params }) => {
      requireOperatorCaller(caller)
      return database.transaction((tx) => verifyBankAccount(tx, { ...params, actor: caller.accountId }))
    },
  )

  addMailRoutes(scope, house)
  addMonthRoutes(scope, house)
  addParkedRoutes(scope, house)
  addProofRoute(scope, house)
  addClockRoutes(scope, house)
}

function addMailRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/mails',
    {
      schema: {
        operationId: 'listMails',
        tags,
        summary: 'The mailbox inside the service, newest first',
        querystring: z.strictObject({
          recipient: emailAddress.optional(),
          before: uuid('the id of a mail').optional().describe(behind),
          limit: limit(20),
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
            next: z.string().optional(),
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
      const last = mails.length === page.limit ? mails.at(-1) : undefined
      return { mails, ...(last && { next: last.mailId }) }
    },
  )
}

function addMonthRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.post(
    '/months/:month/close',
    {
      schema: {
        operationId: 'closeMonth',
        tags,
        summary: 'Close a month that has ended; again changes nothing',
        params: z.object({ month }),
        response: { 200: closedShape },
      },
    },
    ({ caller, params }) => {
      requireOperatorCaller(caller)
      return closeMonth(database, { month: params.month })
    },
  )
}

function addParkedRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/months/:month/parked',
    {
      schema: {
        operationId: 'listParkedAccounts',
        tags,
        summary: 'Accounts whose month could not be closed, with the reasons',
        params: z.object({ month }),
        response: {
          200: z.object({
            parked: z.array(z.object({ accountId: z.string(), month: z.string(), reason: z.string() })),
          }),
        },
      },
    },
    async ({ caller, params }) => {
      requireOperatorCaller(caller)
      const parked = await database.read((tx) => listParked(tx, params))
      return { parked: parked.map((one) => ({ ...one })) }
    },
  )

  scope.post(
    '/months/:month/parked/:accountId/release',
    {
      schema: {
        operationId: 'releaseParkedAccount',
        tags,
        summary: 'The reason is dealt with, or the large bill is right: close the account’s month now',
        params: z.object({ month, accountId }),
        response: { 200: closedShape },
      },
    },
    ({ caller, params }) => {
      requireOperatorCaller(caller)
      return releaseParked(database, params)
    },
  )
}

function addProofRoute(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/proof',
    {
      schema: {
        operationId: 'prove',
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
    {
      schema: {
        operationId: 'getClock',
        // Everyone may know what time it is.
        tags: ['account'],
        summary: 'Where the billing clock stands',
        response: { 200: clockShape },
      },
    },
    async () => ({ kind: database.clock.kind, now: await database.read((tx) => Promise.resolve(tx.now)) }),
  )

  scope.post(
    '/clock/advance',
    {
      schema: {
        operationId: 'advanceClock',
        tags,
        summary: 'Move the manual clock forward; what falls due on the way happens at its own instant',
        body: z.strictObject({ to: instant }),
        response: { 200: z.object({ now: z.date(), steps: z.array(stepShape) }) },
      },
    },
    async ({ caller, body }) => {
      requireOperatorCaller(caller)
      const steps: { at: Date; name: string }[] = []
      await house.advance(body.to, (step) => steps.push({ ...step }))
      return { now: body.to, steps }
    },
  )
}
