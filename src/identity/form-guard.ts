/**
 * Protection of forms against other sites (CSRF). A browser sends our cookie along with a form that another site's page posts
 * to us; it also says, in headers no page can forge, whose page that was. The cookie's SameSite=Lax is the second lock.
 */
import { publicUrlOf, type Config } from '../base/config.ts'
import { Fault } from '../base/fault.ts'
import { headerOf, type RequestHeaders } from './identity.ts'

/**
 * Refuses a request that another site's page made the browser send. To be called on every request that changes something
 * and is believed because of a cookie, before anything is read from it, and on the forms that give a cookie (sign-in,
 * sign-up), so that nobody is signed in as another.
 *
 * A request passes when its Origin is ours. Without an Origin (a page whose referrer policy hides it sends `null`) the browser's
 * Sec-Fetch-Site must say same-origin. A request with neither is refused: no browser of this decade posts a form so.
 *
 * @throws Fault Forbidden
 */
export function guardForm(config: Config, headers: RequestHeaders): void {
  const site = headerOf(headers, 'sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') throw fromElsewhere(config)
  const origin = headerOf(headers, 'origin')
  const allowed = new URL(publicUrlOf(config)).origin
  if (origin === undefined || origin === 'null' ? site === 'same-origin' : origin === allowed) return
  throw fromElsewhere(config)
}

function fromElsewhere(config: Config): Fault {
  return new Fault(
    'Forbidden',
    `This request did not come from a page of ours, so nothing was done. Open ${publicUrlOf(config)} and send it from there; a program sends the header "Origin: ${new URL(publicUrlOf(config)).origin}".`,
  )
}
