/** A buyer's subscriptions, and their activation keys. */
import { z } from 'zod'
import { Fault } from '../../base/fault.ts'
import { formatMinor } from '../../base/money.ts'
import { cancelSubscription } from '../../orders/cancel-subscription.ts'
import { findSubscription, listSubscriptions } from '../../subscriptions/find-subscription.ts'
import { makeActivationKey } from '../../subscriptions/make-activation-key.ts'
import { moneyShape } from './bill-routes.ts'
import { behind, limit, uuid } from './parameters.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['buyer']
const subscriptionId = uuid('the id of a subscription')
const params = z.object({ subscriptionId })
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
z.globalRegistry.add(subscriptionShape, { id: 'Subscription' })

export function addSubscriptionRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/subscriptions',
    {
      schema: {
        operationId: 'listSubscriptions',
        tags,
        summary: 'One’s subscriptions, oldest first, ended ones too',
        querystring: z.strictObject({ after: subscriptionId.optional().describe(behind), limit: limit() }),
        response: { 200: z.object({ subscriptions: z.array(subscriptionShape), next: z.string().optional() }) },
      },
    },
    async ({ caller: { accountId }, query: { after, ...page } }) => {
      const subscriptions = await database.read((tx) => listSubscriptions(tx, { accountId, after, ...page }))
      const last = subscriptions.length === page.limit ? subscriptions.at(-1) : undefined
      return { subscriptions, ...(last && { next: last.subscriptionId }) }
    },
  )

  scope.get(
    '/subscriptions/:subscriptionId',
    {
      schema: {
        operationId: 'getSubscription',
        tags,
        summary: 'A subscription',
        params,
        response: { 200: subscriptionShape },
      },
    },
    async ({ caller: { accountId }, params: { subscriptionId: id } }) => {
      const found = await database.read((tx) => findSubscription(tx, { accountId, subscriptionId: id }))
      if (found === undefined) throw new Fault('NotFound', `There is no subscription ${id} in this account.`)
      return found
    },
  )

  addCancellation(scope, database)
  addActivationKeys(scope, database)
}

function addCancellation(scope: RestScope, database: RestHouse['database']): void {
  scope.post(
    '/subscriptions/:subscriptionId/cancel',
    {
      schema: {
        operationId: 'cancelSubscription',
        tags,
        summary: 'Cancel at once; the unused part of the month’s charge is refunded',
        params,
        response: {
          200: z.object({ subscription: subscriptionShape, cancelled: z.boolean(), refund: moneyShape.optional() }),
        },
      },
    },
    async ({ caller: { accountId }, params: { subscriptionId: id } }) => {
      const { refund, ...result } = await database.transaction((tx) =>
        cancelSubscription(tx, { accountId, subscriptionId: id, actor: accountId }),
      )
      return {
        ...result,
        ...(refund && { refund: { amount: formatMinor(refund.minor, refund.currency), currency: refund.currency } }),
      }
    },
  )
}

function addActivationKeys(scope: RestScope, database: RestHouse['database']): void {
  scope.post(
    '/subscriptions/:subscriptionId/activation-keys',
    {
      schema: {
        operationId: 'makeActivationKey',
        tags,
        summary: 'Make an activation key, good for an hour; answered this once',
        params,
        response: { 201: z.object({ activationKey: z.string() }) },
      },
    },
    async ({ caller: { accountId }, params: { subscriptionId: id } }, reply) => {
      const activationKey = await database.transaction((tx) => makeActivationKey(tx, { accountId, subscriptionId: id }))
      return await reply.code(201).send({ activationKey })
    },
  )
}
