import { randomBytes } from 'node:crypto'
import { recordAudit } from '../accounts/record-audit.ts'
import { ensureSeller } from '../accounts/ensure-seller.ts'
import { publicUrlOf } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { newOfferingCode, newProductCode } from '../base/ids.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Transaction } from '../database/database.ts'
import { approveProduct } from './approve-product.ts'
import { checkPricing, type CheckedPricing } from './check-pricing.ts'
import { findProduct, productToken } from './find-product.ts'
import { checkShape, productInput, type CheckedProductInput, type ProductInput } from './product-input.ts'
import { purchaseUrl, type Product } from './products.ts'
import { findByClientToken, insertConfiguration, insertPriceVersion, insertProduct } from './store.ts'

export interface Registration {
  readonly product: Product
  /** `{ProductToken}` and base64: what the seller's software sends to the License Service. */
  readonly productToken: string
  readonly purchaseUrl: string
}

/** Where codes come from; tests put collisions here. */
export interface Codes {
  productCode(): string
  offeringCode(): string
}

const randomCodes: Codes = { productCode: newProductCode, offeringCode: newOfferingCode }
/** Of four billion codes a million products use 0.02 %: eight collisions in a row do not happen by chance. */
const codeAttemptsMax = 8

/**
 * Registers a product (spec §2) with its first price (spec §3), in force at once, and makes the account a seller.
 * The product waits for the operator's approval, unless the deployment approves by itself or it is registered as a draft.
 *
 * @param request.clientToken makes a retry harmless: the same token with the same input gives the same product
 * @throws Fault InvalidParameter (`data`: a sentence per bad field), Forbidden while the account's e-mail address is not
 * verified, IdempotencyMismatch when the token came before with other input
 */
export async function registerProduct(
  tx: Transaction,
  request: { readonly accountId: string; readonly clientToken?: string | undefined; readonly input: ProductInput },
  codes: Codes = randomCodes,
): Promise<Registration> {
  const { accountId } = request
  const clientToken = checkClientToken(request.clientToken)
  const input = checkShape(productInput, request.input)
  const requestSha256 = digest(input)
  const before = clientToken === undefined ? undefined : await repeated(tx, accountId, clientToken, requestSha256)
  if (before !== undefined) return before
  const { draft: _draft, configuration: _lists, price: _price, ...fields } = input
  const pricing = await checkPricing(tx, {
    configuration: input.configuration,
    price: input.price,
    currency: input.currency,
  })
  await ensureSeller(tx, { accountId, companyName: input.companyName })

  for (let attempt = 1; attempt <= codeAttemptsMax; attempt += 1) {
    const productCode = codes.productCode()
    const offeringCode = codes.offeringCode()
    if (productCode === offeringCode) continue
    const token = `{ProductToken}${randomBytes(96).toString('base64')}`
    const inserted = await insertProduct(tx, {
      ...fields,
      productCode,
      offeringCode,
      sellerAccountId: accountId,
      tokenSealed: tx.sealer.seal(token, `product-token:${productCode}`),
      tokenSha256: sha256Hex(token),
      state: input.draft ? 'draft' : 'pending-approval',
      ...(clientToken === undefined ? {} : { clientToken, requestSha256 }),
    })
    if (inserted) return await complete(tx, { productCode, token, input, pricing })
    // Either a code is taken, or the same registration won on another connection.
    const winner = clientToken === undefined ? undefined : await repeated(tx, accountId, clientToken, requestSha256)
    if (winner !== undefined) return winner
  }
  throw new Error(`no free product code found in ${codeAttemptsMax} attempts`)
}

/** Writes what hangs on the product's row, and approves where the deployment does that by itself. */
async function complete(
  tx: Transaction,
  made: { productCode: string; token: string; input: CheckedProductInput; pricing: CheckedPricing },
): Promise<Registration> {
  const { productCode, pricing } = made
  await insertConfiguration(tx, productCode, pricing.configuration)
  await insertPriceVersion(tx, { productCode, version: 1, effectiveAt: tx.now, ...pricing.price })
  const product = await known(tx, productCode)
  await recordAudit(tx, {
    accountId: product.sellerAccountId,
    actor: product.sellerAccountId,
    action: 'product.register',
    subject: productCode,
    detail: { name: product.name, state: product.state },
  })
  const approves = product.state === 'pending-approval' && tx.config.approval === 'automatic'
  return registration(tx, approves ? await approveProduct(tx, { productCode, actor: 'system' }) : product, made.token)
}

async function repeated(
  tx: Transaction,
  sellerAccountId: string,
  clientToken: string,
  requestSha256: string,
): Promise<Registration | undefined> {
  const found = await findByClientToken(tx, sellerAccountId, clientToken)
  if (found === undefined) return undefined
  if (found.requestSha256 !== requestSha256) {
    throw new Fault(
      'IdempotencyMismatch',
      `The client token "${clientToken}" already registered product ${found.productCode} with other input; use a new token for a new product.`,
    )
  }
  return registration(tx, await known(tx, found.productCode), await productToken(tx, found.productCode))
}

async function known(tx: Transaction, productCode: string): Promise<Product> {
  const product = await findProduct(tx, productCode)
  if (product === undefined) throw new Error(`product ${productCode} was written and is not there`)
  return product
}

function registration(tx: Transaction, product: Product, token: string): Registration {
  return { product, productToken: token, purchaseUrl: purchaseUrl(publicUrlOf(tx.config), product.offeringCode) }
}

function checkClientToken(clientToken: string | undefined): string | undefined {
  if (clientToken === undefined || /^[\x21-\x7e]{1,64}$/.test(clientToken)) return clientToken
  throw new Fault('InvalidParameter', 'clientToken is 1 to 64 printable ASCII characters without spaces.', {
    data: { clientToken: 'is 1 to 64 printable ASCII characters without spaces' },
  })
}

/** Of the checked input, whose keys always stand in the order of the schema. */
function digest(input: CheckedProductInput): string {
  return sha256Hex(JSON.stringify(input))
}
