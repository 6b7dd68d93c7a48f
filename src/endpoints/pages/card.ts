/** The buyer's card on pages: entered on the processor's own page, taken over when the buyer comes back. */
import type { FastifyReply } from 'fastify'
import { publicUrlOf, type Config } from '../../base/config.ts'
import { Fault } from '../../base/fault.ts'
import { pagePolicy } from '../../http/security-headers.ts'
import { finishCard, startCard } from '../../payments/save-card.ts'
import type { Reader } from './layout.ts'
import type { PagesHouse } from './pages.ts'

/**
 * The policy of a page whose form ends on the processor's card page: browsers hold a redirect against `form-action`. The
 * sandbox's card page is on our own address.
 */
export function allowCardPage(config: Config, reply: FastifyReply): void {
  if (config.stripeSecretKey === undefined) return
  reply.header(
    'content-security-policy',
    pagePolicy.replace("form-action 'self'", "form-action 'self' https://checkout.stripe.com"),
  )
}

/**
 * Opens the processor's page for entering a card.
 *
 * @param path our page the buyer comes back to
 * @returns where to send the buyer
 */
export async function openCardPage(
  { database, processor }: PagesHouse,
  { account: { accountId } }: Reader,
  path: string,
): Promise<string> {
  const page = publicUrlOf(database.config) + path
  const returnUrl = `${page}?session={CHECKOUT_SESSION_ID}`
  return (await startCard(database, processor, { accountId, returnUrl, cancelUrl: page })).url
}

/** @returns a sentence when no usable card came of it */
export async function takeCard(
  { database, processor }: PagesHouse,
  { account: { accountId } }: Reader,
  sessionId: string,
): Promise<string | undefined> {
  try {
    await finishCard(database, processor, { accountId, sessionId })
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}
