/**
 * The cookie that marks the browser a sign-up came from. Its link opened in that browser needs no password again; opened
 * anywhere else it does, so that a stranger's sign-up with someone's address is not completed by that someone's click.
 */
import { headerOf, signUpLinkLengthS, type RequestHeaders } from './identity.ts'

const plainName = 'turnpike.sign_up'

export function signUpCookie(secure: boolean, value: string): string {
  return write(secure, value, signUpLinkLengthS)
}

export function clearSignUpCookie(secure: boolean): string {
  return write(secure, '', 0)
}

export function readSignUpCookie(secure: boolean, headers: RequestHeaders): string | undefined {
  for (const pair of (headerOf(headers, 'cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === nameOf(secure) && value !== undefined && value !== '') return value
  }
  return undefined
}

/** With the prefix a browser takes the cookie from an https page only. */
function nameOf(secure: boolean): string {
  return secure ? `__Secure-${plainName}` : plainName
}

function write(secure: boolean, value: string, maxAgeS: number): string {
  return `${nameOf(secure)}=${value}; Max-Age=${maxAgeS}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}
