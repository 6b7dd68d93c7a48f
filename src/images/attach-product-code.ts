/**
 * Attaching a product code to an image (spec §2, §11). Written once, by the image's owner, one per image, never changed nor
 * removed, by anyone. Who may:
 *
 * - the product's owner, on any own image, also outside the product's configuration (a paid image);
 * - a subscribed buyer, on an own image inside the configuration (a supported image).
 *
 * Instances already running are not touched: an instance takes its code when it is launched.
 */
import type { Caller } from '../accounts/accounts.ts'
import { recordAudit } from '../accounts/record-audit.ts'
import { Fault } from '../base/fault.ts'
import type { Transaction } from '../database/database.ts'
import { configurationOf } from '../products/allows.ts'
import { findProduct } from '../products/find-product.ts'
import type { Product } from '../products/products.ts'
import { requireActiveSubscription } from '../subscriptions/require-subscription.ts'
import { imageUnavailable, type Image } from './images.ts'
import { requirePlainText } from './plain-text.ts'
import { requireOwnImage } from './require-image.ts'
import { readImage, writeProductCode } from './store.ts'

/**
 * @param request.productCodes exactly one; a list because the wire has one
 * @returns `attached` is false when the image already had this very code
 * @throws Fault InvalidParameter (not exactly one code; malformed image id), ImageNotFound, ImageUnavailable, Forbidden (the
 *   image is another's), ProductCodeAlreadySet, ProductNotFound, OutsideConfiguration, NotSubscribed, SubscriptionSuspended
 */
export async function attachProductCode(
  tx: Transaction,
  request: { caller: Caller; region: string; imageId: string; productCodes: readonly string[] },
): Promise<{ image: Image; attached: boolean }> {
  const productCode = onlyCode(request.productCodes)
  const image = await requireOwnImage(tx, request)
  if (image.productCode !== undefined) return { image: requireSameCode(image, productCode), attached: false }
  const product = await findProduct(tx, productCode)
  if (product === undefined) {
    throw new Fault('ProductNotFound', `The product code '${productCode}' does not exist. Check it with its seller.`, {
      data: { productCode },
    })
  }
  if (product.sellerAccountId !== request.caller.accountId) await requireSupportable(tx, request.caller, image, product)
  if (!(await writeProductCode(tx, image.imageId, productCode))) {
    // Another request was first: the outcome is what a later request would have found.
    const present = await readImage(tx, image.imageId)
    if (present?.productCode === undefined) throw imageUnavailable(image.imageId)
    return { image: requireSameCode(present, productCode), attached: false }
  }
  await recordAudit(tx, {
    accountId: image.ownerAccountId,
    actor: request.caller.accountId,
    action: 'image.attach-product-code',
    subject: image.imageId,
    detail: { productCode },
  })
  return { image: { ...image, productCode }, attached: true }
}

function onlyCode(productCodes: readonly string[]): string {
  const [productCode, ...others] = productCodes
  if (productCode === undefined || others.length > 0) {
    throw new Fault(
      'InvalidParameter',
      `The request names ${productCodes.length} product codes; an image has exactly one, so name one.`,
      { data: { ec2Code: 'InvalidParameterValue', parameter: 'ProductCode' } },
    )
  }
  requirePlainText('ProductCode', productCode, 255)
  return productCode
}

function requireSameCode(image: Image, productCode: string): Image {
  if (image.productCode === productCode) return image
  throw new Fault(
    'ProductCodeAlreadySet',
    `The image ${image.imageId} has the product code ${image.productCode ?? ''}. A product code is written once and is never changed nor removed; register the image anew to give it another.`,
    { data: { imageId: image.imageId, productCode: image.productCode ?? '' } },
  )
}

async function requireSupportable(tx: Transaction, caller: Caller, image: Image, product: Product): Promise<void> {
  const configuration = await configurationOf(tx, product.productCode)
  const inside = configuration.some(
    (allowed) => allowed.region === image.region && allowed.environment === image.environment,
  )
  if (!inside) {
    throw new Fault(
      'OutsideConfiguration',
      `The product ${product.productCode} does not cover ${image.environment} images in ${image.region}; only its owner may put its code on this image.`,
      { data: { productCode: product.productCode, region: image.region, environment: image.environment } },
    )
  }
  await requireActiveSubscription(tx, { accountId: caller.accountId, product, lock: 'share' })
}
