/** The buyer's card: set up on the processor's own page, kept here as brand, last digits and expiry. */
import { findAccount } from '../accounts/find-account.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import type { Database, Transaction } from '../database/database.ts'
import type { Card, Processor } from './processor.ts'
import { startAttempt } from './start-attempt.ts'
import { findCustomer, insertCustomer, invoicesToHeal, updateCard } from './store.ts'

/** The buyer's customer at the processor, made on first need. */
export async function ensureCustomer(
  db: Database,
  processor: Processor,
  accountId: string,
): Promise<{ customerId: string }> {
  const { known, account } = await db.read(async (tx) => ({
    known: await findCustomer(tx, accountId),
    account: await findAccount(tx, accountId),
  }))
  if (known !== undefined) return known
  if (account === undefined) throw new Fault('NotFound', `There is no account ${accountId}.`)
  const { customerId } = await processor.createCustomer({ accountId, email: account.email, name: account.name })
  await db.transaction((tx) => insertCustomer(tx, accountId, customerId))
  return { customerId }
}

/**
 * Opens the processor's page for entering a card.
 *
 * @param returnUrl may hold `{CHECKOUT_SESSION_ID}`, which `finishCard` needs back
 * @returns the page to send the buyer to
 */
export async function startCard(
  db: Database,
  processor: Processor,
  request: { accountId: string; returnUrl: string; cancelUrl: string },
): Promise<{ url: string }> {
  const { customerId } = await ensureCustomer(db, processor, request.accountId)
  const { url } = await processor.startCardSetup({
    customerId,
    returnUrl: request.returnUrl,
    cancelUrl: request.cancelUrl,
    reference: request.accountId,
  })
  return { url }
}

/**
 * Takes over the card of a finished setup. The session id comes through the buyer's browser: a session of another buyer
 * is refused.
 *
 * @throws Fault PaymentRefused when the setup brought no usable card
 */
export async function finishCard(
  db: Database,
  processor: Processor,
  request: { accountId: string; sessionId: string },
): Promise<Card> {
  const setup = await processor.finishCardSetup({ sessionId: request.sessionId })
  if (setup.state !== 'complete') throw new Fault('PaymentRefused', setup.message)
  await db.transaction(async (tx) => {
    const customer = await findCustomer(tx, request.accountId)
    if (customer?.customerId !== setup.customerId) {
      throw new Fault('NotFound', 'That card setup is not one of yours; start again from your billing page.')
    }
    await saveCard(tx, { accountId: request.accountId, customerId: setup.customerId, card: setup.card })
  })
  return setup.card
}

/**
 * Makes a card the one that is charged, and has every bill that failed on another card tried on it at once. The same card
 * again changes nothing.
 */
export async function saveCard(
  tx: Transaction,
  request: { accountId: string; customerId: string; card: Card },
): Promise<void> {
  if (!(await updateCard(tx, request.accountId, request.customerId, request.card))) return
  for (const invoice of await invoicesToHeal(tx, request.accountId)) await startAttempt(tx, invoice)
  await recordAudit(tx, {
    accountId: request.accountId,
    actor: request.accountId,
    action: 'payment method changed',
    subject: request.accountId,
    detail: { brand: request.card.brand, last4: request.card.last4 },
  })
}
