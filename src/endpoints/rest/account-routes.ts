/** The caller's own account and access keys. */
import { z } from 'zod'
import { createAccessKey } from '../../accounts/create-access-key.ts'
import { deleteAccessKey } from '../../accounts/delete-access-key.ts'
import { requireAccount } from '../../accounts/find-account.ts'
import { listAccessKeys } from '../../accounts/list-access-keys.ts'
import { setAccessKeyActive } from '../../accounts/set-access-key-active.ts'
import { accessKeyId } from './parameters.ts'
import type { RestHouse, RestScope } from './rest.ts'

const tags = ['account']
export const accountShape = z.object({
  accountId: z.string(),
  name: z.string(),
  email: z.string(),
  emailVerified: z.boolean(),
  operator: z.boolean(),
  createdAt: z.date(),
})
const keyShape = z.object({ accessKeyId: z.string(), active: z.boolean(), createdAt: z.date() })
z.globalRegistry.add(accountShape, { id: 'Account' })
z.globalRegistry.add(keyShape, { id: 'AccessKey' })
const keyParameters = z.object({ accessKeyId })

export function addAccountRoutes(scope: RestScope, { database }: RestHouse): void {
  scope.get(
    '/account',
    { schema: { operationId: 'getAccount', tags, summary: 'Who am I', response: { 200: accountShape } } },
    ({ caller }) => database.read((tx) => requireAccount(tx, caller.accountId)),
  )

  scope.get(
    '/access-keys',
    {
      schema: {
        operationId: 'listAccessKeys',
        tags,
        summary: 'List access keys; there are five at the most',
        response: { 200: z.object({ accessKeys: z.array(keyShape) }) },
      },
    },
    async ({ caller }) => ({ accessKeys: await database.read((tx) => listAccessKeys(tx, caller.accountId)) }),
  )

  scope.post(
    '/access-keys',
    {
      schema: {
        operationId: 'createAccessKey',
        tags,
        summary: 'Make an access key; its secret is answered this once',
        response: { 201: z.object({ accessKeyId: z.string(), secretAccessKey: z.string(), createdAt: z.date() }) },
      },
    },
    async ({ caller: { accountId } }, reply) => {
      const key = await database.transaction((tx) => createAccessKey(tx, { accountId, actor: accountId }))
      return await reply.code(201).send(key)
    },
  )

  scope.patch(
    '/access-keys/:accessKeyId',
    {
      schema: {
        operationId: 'setAccessKeyActive',
        tags,
        summary: 'Activate or deactivate an access key',
        params: keyParameters,
        body: z.strictObject({ active: z.boolean('true or false') }),
        response: { 200: keyShape },
      },
    },
    ({ caller: { accountId }, params, body }) =>
      database.transaction((tx) =>
        setAccessKeyActive(tx, { accountId, ...params, active: body.active, actor: accountId }),
      ),
  )

  scope.delete(
    '/access-keys/:accessKeyId',
    {
      schema: {
        operationId: 'deleteAccessKey',
        tags,
        summary: 'Delete an access key for good',
        params: keyParameters,
        response: { 204: z.null() },
      },
    },
    async ({ caller: { accountId }, params }, reply) => {
      await database.transaction((tx) => deleteAccessKey(tx, { accountId, ...params, actor: accountId }))
      return await reply.code(204).send(null)
    },
  )
}
