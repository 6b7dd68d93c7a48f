import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import type { Seller } from './accounts.ts'
import { requireAccount } from './find-account.ts'
import { recordAudit } from './record-audit.ts'
import { insertSeller, selectSeller } from './store.ts'

const companyNameLengthMax = 200

/**
 * The seller profile of an account, made when there is none (spec §2: the first registration makes it). One that exists
 * stays as it is.
 *
 * @throws Fault NotFound when there is no such account, Forbidden while its e-mail address is not verified,
 *   InvalidParameter when the company name is empty or too long
 */
export async function ensureSeller(
  tx: Transaction,
  request: { accountId: string; companyName: string },
): Promise<Seller> {
  const { accountId } = request
  const account = await requireAccount(tx, accountId)
  const existing = await selectSeller(tx, accountId)
  if (existing !== undefined) return existing
  if (!account.emailVerified) {
    throw new Fault(
      'Forbidden',
      `The e-mail address of account ${accountId} is not verified, and only a verified account sells. Open the link in the mail that was sent when it signed up.`,
    )
  }
  const companyName = request.companyName.trim()
  if (companyName === '' || companyName.length > companyNameLengthMax) {
    throw new Fault('InvalidParameter', `A company name has 1 to ${companyNameLengthMax} characters.`, {
      data: { parameter: 'companyName' },
    })
  }
  if (await insertSeller(tx, accountId, companyName)) {
    await recordAudit(tx, { accountId, actor: accountId, action: 'seller.create', subject: accountId })
  }
  return await requireSeller(tx, accountId)
}

export async function findSeller(tx: Transaction, sellerAccountId: string): Promise<Seller | undefined> {
  return await selectSeller(tx, sellerAccountId)
}

/** @throws Fault NotFound when the account has never registered a product */
export async function requireSeller(tx: Transaction, sellerAccountId: string): Promise<Seller> {
  const seller = await selectSeller(tx, sellerAccountId)
  if (seller !== undefined) return seller
  throw new Fault('NotFound', `Account ${sellerAccountId} is no seller; registering its first product makes it one.`)
}
