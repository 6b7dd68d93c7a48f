/**
 * The seller's page after the purchase, with exactly `ActivationKey` and `ProductCode` added: after `?`, or after `&` when
 * the URL has a query already (spec §4). A fragment stays at the end.
 */
export function redirectUrl(
  page: string,
  added: { readonly activationKey: string; readonly productCode: string },
): string {
  const fragmentAt = page.indexOf('#')
  const address = fragmentAt === -1 ? page : page.slice(0, fragmentAt)
  const fragment = fragmentAt === -1 ? '' : page.slice(fragmentAt)
  const separator = !address.includes('?') ? '?' : /[?&]$/.test(address) ? '' : '&'
  const query = `ActivationKey=${encodeURIComponent(added.activationKey)}&ProductCode=${encodeURIComponent(added.productCode)}`
  return `${address}${separator}${query}${fragment}`
}
