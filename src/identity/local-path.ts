/** Somewhere no address can have: what resolves to it was local. */
const nowhere = 'http://local.invalid'

/**
 * The path to go on to after signing in, if it is one of ours; otherwise the fallback. An address elsewhere would make our
 * sign-in page lend its trust to any site (open redirect).
 *
 * @param text as the request has it
 * @returns path, query and fragment, normalised; begins with exactly one slash
 */
export function localPath(text: string | undefined, otherwise = '/'): string {
  if (text === undefined || !/^\/[^/\\]|^\/$/.test(text) || /[\\\p{Cc}]/u.test(text)) return otherwise
  if (!URL.canParse(text, nowhere)) return otherwise
  const url = new URL(text, nowhere)
  const path = `${url.pathname}${url.search}${url.hash}`
  // Dots are resolved by now: "/.//elsewhere.example" has become "//elsewhere.example".
  return url.origin === nowhere && !path.startsWith('//') ? path : otherwise
}
