/** Headers that keep a browser from doing more with an answer than showing it. */
import type { FastifyInstance } from 'fastify'

/**
 * Pages run no script at all, load nothing from elsewhere, and stand in nobody's frame. A page that posts to a form
 * which redirects to another site sets a policy of its own: browsers hold the redirect against `form-action`, too.
 */
export const pagePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function addSecurityHeaders(server: FastifyInstance): void {
  server.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    if (!String(reply.getHeader('content-type')).startsWith('text/html')) return
    // Purchase and activation links carry keys in their query; no other site may learn them as a referrer.
    // Our own must: with no-referrer, browsers hide the Origin that identity/form-guard.ts looks at.
    if (!reply.hasHeader('referrer-policy')) reply.header('referrer-policy', 'same-origin')
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', pagePolicy)
    reply.header('x-frame-options', 'DENY')
    reply.header('cross-origin-opener-policy', 'same-origin')
  })
}
