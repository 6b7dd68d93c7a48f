/** Who a page is drawn for, and sending those to sign in who must. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { findSeller } from '../../accounts/ensure-seller.ts'
import type { FormFields } from '../../http/route-kind.ts'
import type { Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'

/** The signed-in person, if there is one. */
export async function readerOf(house: PagesHouse, request: FastifyRequest): Promise<Reader | undefined> {
  const session = await house.people.sessionOf(request.headers)
  if (session === undefined) return undefined
  const seller = await house.database.read((tx) => findSeller(tx, session.account.accountId))
  return { account: session.account, name: session.name, seller: seller !== undefined }
}

/**
 * The signed-in person; whoever is not is sent to the sign-in page and comes back here afterwards.
 *
 * @returns undefined when the answer was sent: the handler just returns
 */
export async function requireReader(
  house: PagesHouse,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Reader | undefined> {
  const reader = await readerOf(house, request)
  if (reader !== undefined) return reader
  // What was posted is not repeated by itself: after signing in the page with the form is shown again.
  const back = request.method === 'GET' ? request.url : (pathOf(request.headers.referer) ?? '/')
  await reply.redirect(`/sign-in?continue=${encodeURIComponent(back)}`, 303)
  return undefined
}

/** A field of a posted form or a query; empty when it is missing or there several times. */
export function field(fields: unknown, name: string): string {
  const value = (fields as FormFields | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

export async function sendPage(reply: FastifyReply, document: string, status = 200): Promise<void> {
  await reply.code(status).type('text/html; charset=utf-8').send(document)
}

function pathOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).pathname : undefined
}
