/** The account: who one is, and its access keys. */
import type { FastifyInstance } from 'fastify'
import { createAccessKey, type CreatedAccessKey } from '../../accounts/create-access-key.ts'
import { deleteAccessKey } from '../../accounts/delete-access-key.ts'
import { listAccessKeys } from '../../accounts/list-access-keys.ts'
import { setAccessKeyActive } from '../../accounts/set-access-key-active.ts'
import { publicUrlOf } from '../../base/config.ts'
import { html, type Markup } from '../../http/markup.ts'
import { day, state, table } from './figures.ts'
import { drawPage, type Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { field, requireReader, sendPage } from './reader.ts'

interface KeyPath {
  Params: { accessKeyId: string }
}

export function addAccountPages(scope: FastifyInstance, house: PagesHouse): void {
  const { database } = house
  scope.get('/account', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader !== undefined) await sendPage(reply, await drawAccount(house, reader))
  })

  scope.post('/account/access-keys', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { accountId } = reader.account
    const made = await database.transaction((tx) => createAccessKey(tx, { accountId, actor: accountId }))
    await sendPage(reply, await drawAccount(house, reader, made))
  })

  scope.post<KeyPath>('/account/access-keys/:accessKeyId', async (request, reply) => {
    const reader = await requireReader(house, request, reply)
    if (reader === undefined) return
    const { accountId } = reader.account
    const key = { accountId, accessKeyId: request.params.accessKeyId, actor: accountId }
    await database.transaction(async (tx) => {
      if (field(request.body, 'do') === 'delete') await deleteAccessKey(tx, key)
      else await setAccessKeyActive(tx, { ...key, active: field(request.body, 'do') === 'activate' })
    })
    await reply.redirect('/account', 303)
  })
}

async function drawAccount({ database }: PagesHouse, reader: Reader, made?: CreatedAccessKey): Promise<string> {
  const { account } = reader
  const keys = await database.read((tx) => listAccessKeys(tx, account.accountId))
  const act = (accessKeyId: string, what: string, label: string, look: string): Markup =>
    html`<form class="inline" method="post" action="/account/access-keys/${accessKeyId}">
      <button class="${look}" name="do" value="${what}" aria-label="${label} ${accessKeyId}">${label}</button>
    </form>`
  const rows = keys.map((key) => [
    html`<code>${key.accessKeyId}</code>`,
    state(key.active ? 'active' : 'inactive'),
    day(key.createdAt),
    html`${key.active ? act(key.accessKeyId, 'deactivate', 'Deactivate', 'link') : act(key.accessKeyId, 'activate', 'Activate', 'link')}
    · ${act(key.accessKeyId, 'delete', 'Delete', 'link')}`,
  ])
  return drawPage({
    title: 'Account',
    section: '/account',
    reader,
    content: html`<h1>Account</h1>
      <dl class="facts">
        <dt>Account</dt>
        <dd class="mono">${account.accountId}</dd>
        <dt>Name</dt>
        <dd>${account.name}</dd>
        <dt>E-mail</dt>
        <dd>${account.email}</dd>
      </dl>
      ${made !== undefined && drawSecret(made, publicUrlOf(database.config))}
      <h2>Access keys</h2>
      <p class="lead">They sign your requests to EC2, and to the REST API. At most five.</p>
      ${table({
        label: 'Access keys',
        columns: [{ label: 'Access key id' }, { label: 'State' }, { label: 'Since' }, { label: 'Change' }],
        rows,
        empty: 'You have no access key yet. Launching instances takes one.',
      })}
      <form method="post" action="/account/access-keys"><button>Make an access key</button></form>`,
  })
}

function drawSecret(made: CreatedAccessKey, url: string): Markup {
  return html`<section class="note" aria-live="polite">
    <h2>Your new access key</h2>
    <p>The secret is shown this once. Keep it where only you can read it.</p>
    <dl class="facts">
      <dt>Access key id</dt>
      <dd class="mono" id="access-key-id">${made.accessKeyId}</dd>
      <dt>Secret access key</dt>
      <dd class="mono" id="secret-access-key">${made.secretAccessKey}</dd>
    </dl>
    <pre tabindex="0">
export AWS_ACCESS_KEY_ID=${made.accessKeyId}
export AWS_SECRET_ACCESS_KEY=${made.secretAccessKey}
export AWS_DEFAULT_REGION=us-east-1
aws --endpoint-url ${url} ec2 describe-images --executable-users self</pre>
  </section>`
}
