import { requireOperator } from '../accounts/find-account.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { requireProduct } from './find-product.ts'
import type { Product, ProductState } from './products.ts'
import { updateState } from './store.ts'

/** Who asks for a change of state. */
export interface StateRequest {
  readonly productCode: string
  /** Account id, or `system`. What it may not do is refused here; what it did goes into the audit log. */
  readonly actor: string
}

/** How many characters a reason may have. */
export const reasonCharactersMax = 1000

/**
 * Compare-and-set of a product's state, with its audit row.
 *
 * @returns the product after it, and whether this call changed it (false: a retry found it already so)
 * @throws Fault ProductNotFound, Forbidden, or IncorrectState when the product is in none of the states the change starts from
 */
export async function changeState(
  tx: Transaction,
  request: StateRequest,
  change: {
    readonly from: ProductState
    readonly to: ProductState
    /** Whether only an operator may, or the product's seller too. */
    readonly by: 'operator' | 'seller'
    readonly action: string
    readonly reason?: string
  },
): Promise<{ readonly product: Product; readonly changed: boolean }> {
  const { productCode, actor } = request
  const before = await requireProduct(tx, productCode)
  if (change.by === 'operator' || before.sellerAccountId !== actor) await requireOperator(tx, actor)
  const changed = await updateState(tx, { productCode, ...change })
  const product = await requireProduct(tx, productCode)
  if (!changed) {
    if (product.state === change.to) return { product, changed }
    throw new Fault(
      'IncorrectState',
      `Product ${productCode} is ${describe(product.state)}; only ${describe(change.from)} products can become ${describe(change.to)}.`,
    )
  }
  await recordAudit(tx, {
    accountId: product.sellerAccountId,
    actor,
    action: change.action,
    subject: productCode,
    detail: { from: change.from, to: change.to, ...(change.reason === undefined ? {} : { reason: change.reason }) },
  })
  return { product, changed }
}

function describe(state: ProductState): string {
  return state === 'pending-approval' ? 'pending approval' : state
}
