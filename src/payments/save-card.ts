/** The buyer's card: set up on the processor's own page, kept here as brand, last digits and expiry. */
import { findAccount } from '../accounts/find-account.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import type { Database, Transaction } from '../database/database.ts'
import type { Card, Processor } from './processor.ts'
import { startAttempt } from './start-attempt.ts'
import {
  findCardSetup,
  findCustomer,
  insertCardSetup,
  insertCustomer,
  lastAttempt,
  lockCustomer,
  lockOwedInvoices,
  markCardSetupTaken,
  selectCard,
  updateCard,
} from './store.ts'

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
  return await db.transaction(async (tx) => {
    await insertCustomer(tx, accountId, customerId)
    // Whoever was first has written theirs.
    return (await findCustomer(tx, accountId)) ?? { customerId }
  })
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
  const { url, sessionId } = await processor.startCardSetup({
    customerId,
    returnUrl: request.returnUrl,
    cancelUrl: request.cancelUrl,
    reference: request.accountId,
  })
  await db.transaction((tx) => insertCardSetup(tx, { accountId: request.accountId, sessionId }))
  return { url }
}

interface Setup {
  readonly accountId: string
  readonly sessionId: string
}

/**
 * Takes over the card of a finished setup, once; asked again it changes nothing. The session id comes through the buyer's
 * browser: a session of another buyer is refused.
 *
 * @returns the card that is charged from now on
 * @throws Fault NotFound when the setup is not the account's, PaymentRefused when it brought no usable card
 */
export async function finishCard(db: Database, processor: Processor, setup: Setup): Promise<Card> {
  return await takeOver(db, processor, setup, () => true)
}

/**
 * The same for the processor's event of it, which may come late: a card that was entered later stays.
 *
 * @throws Fault as `finishCard`
 */
export async function finishCardLate(db: Database, processor: Processor, setup: Setup): Promise<void> {
  await takeOver(db, processor, setup, ({ superseded }) => !superseded)
}

async function takeOver(
  db: Database,
  processor: Processor,
  setup: Setup,
  counts: (found: { superseded: boolean }) => boolean,
): Promise<Card> {
  if ((await db.read((tx) => findCardSetup(tx, setup))) === undefined) throw notYours()
  const finished = await processor.finishCardSetup({ sessionId: setup.sessionId })
  if (finished.state !== 'complete') throw new Fault('PaymentRefused', finished.message)
  const { customerId, card } = finished
  return await db.transaction(async (tx) => {
    const customer = await lockCustomer(tx, setup.accountId)
    if (customer?.customerId !== customerId) throw notYours()
    const found = await findCardSetup(tx, setup)
    if (found?.taken === false) {
      await markCardSetupTaken(tx, setup)
      if (counts(found)) await saveCard(tx, { accountId: setup.accountId, customerId, card })
    }
    return (await selectCard(tx, setup.accountId)) ?? card
  })
}

function notYours(): Fault {
  return new Fault('NotFound', 'That card setup is not one of yours; start again from your billing page.')
}

/**
 * Makes a card the one that is charged, and has every bill that failed on another card tried on it at once; a bill that is
 * being tried on another card is tried on this one when that fails (`settleAttempt`). The same card again changes nothing.
 */
async function saveCard(
  tx: Transaction,
  request: { accountId: string; customerId: string; card: Card },
): Promise<void> {
  if (!(await updateCard(tx, request.accountId, request.customerId, request.card))) return
  for (const invoice of await lockOwedInvoices(tx, request.accountId)) {
    // Read under the bill's lock: what fails after this sees the new card.
    if ((await lastAttempt(tx, invoice))?.state === 'failed') await startAttempt(tx, invoice)
  }
  await recordAudit(tx, {
    accountId: request.accountId,
    actor: request.accountId,
    action: 'payment method changed',
    subject: request.accountId,
    detail: { brand: request.card.brand, last4: request.card.last4 },
  })
}
