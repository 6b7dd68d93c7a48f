/** Who may see the operator's pages, and the way between them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../base/fault.ts'
import { html, type Markup } from '../../http/markup.ts'
import type { Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { requireReader } from './reader.ts'

/** The signed-in operator. @throws Fault Forbidden for everyone else who is signed in */
export async function requireOperatorReader(
  house: PagesHouse,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Reader | undefined> {
  const reader = await requireReader(house, request, reply)
  if (reader !== undefined && !reader.account.operator) {
    throw new Fault('Forbidden', 'Only an operator of this service may see this.')
  }
  return reader
}

const links = [
  ['/operator', 'Decisions'],
  ['/operator/accounts', 'Accounts'],
  ['/operator/mailbox', 'Mailbox'],
  ['/operator/proof', 'Proof'],
] as const

/** The second row of navigation, on the operator's pages. */
export function drawOperatorLinks(current: string): Markup {
  return html`<nav class="tabs" aria-label="Operator">
    <ul>
      ${links.map(([path, label]) => html`<li><a href="${path}" ${path === current && html`aria-current="page"`}>${label}</a></li>`)}
    </ul>
  </nav>`
}
