/**
 * The hosted card page over HTTP, as a plugin: the sandbox serves it on its own port, and the service may serve it on its
 * public address too. The session id in the path is the only key to it, as with Stripe's own pages.
 */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import type Stripe from 'stripe'
import type { Database, Transaction } from '../database/database.ts'
import { cardFormPage, contentSecurityPolicy, messagePage } from './checkout-page.ts'
import { completeSession, lockSession } from './checkout-sessions.ts'
import { Refusal, invalidRequest, newObjectId, type Call } from './sandbox.ts'
import { readForm, type FormValues } from './read-form.ts'

export interface PagesOptions {
  readonly database: Database
  readonly pagesUrl: () => string
  /** Called when an event was written. */
  readonly deliverSoon: () => void
}

const formType = 'application/x-www-form-urlencoded'
const bodyLimitBytes = 16 * 1024

export function checkoutPages(options: PagesOptions): FastifyPluginAsync {
  const inCall = <T>(work: (call: Call) => Promise<T>): Promise<T> =>
    options.database.transaction((tx: Transaction) =>
      work({ tx, requestId: newObjectId('req'), idempotencyKey: null, pagesUrl: options.pagesUrl() }),
    )

  return async (app: FastifyInstance) => {
    if (app.hasContentTypeParser(formType)) app.removeContentTypeParser(formType)
    app.addContentTypeParser(formType, { parseAs: 'string' }, (_request, body, done) => done(null, body))

    app.get<{ Params: { id: string } }>('/checkout/:id', async (request, reply) => {
      const session = await inCall((call) => lockSession(call, request.params.id))
      return answerSession(reply, session)
    })

    app.post<{ Params: { id: string }; Body: unknown }>(
      '/checkout/:id',
      { bodyLimit: bodyLimitBytes },
      async (request, reply) => {
        const form = readBody(request.body)
        const { session, problem } = await inCall((call) => submit(call, request.params.id, form))
        options.deliverSoon()
        return answerSession(reply, session, { problem, name: field(form, 'name') })
      },
    )
  }
}

function readBody(body: unknown): FormValues {
  try {
    return readForm(typeof body === 'string' ? body : '')
  } catch (error) {
    if (error instanceof Refusal) return {}
    throw error
  }
}

function field(form: FormValues, name: string): string {
  const value = form[name]
  return typeof value === 'string' ? value.trim() : ''
}

interface Submitted {
  readonly session: Stripe.Checkout.Session | undefined
  readonly problem?: string
}

async function submit(call: Call, id: string, form: FormValues): Promise<Submitted> {
  const session = await lockSession(call, id)
  if (session?.status !== 'open') return { session }
  try {
    const card = { number: field(form, 'number'), ...readExpiry(field(form, 'expires')), cvc: field(form, 'cvc') }
    const name = field(form, 'name').slice(0, 200)
    const done = await completeSession(call, session, { card, name: name === '' ? undefined : name })
    return done.decline === undefined
      ? { session: done.session }
      : { session: done.session, problem: done.decline.message }
  } catch (error) {
    // Thrown before anything was written: what was typed is no card.
    if (error instanceof Refusal) return { session, problem: error.message }
    throw error
  }
}

function readExpiry(text: string): { expMonth: number; expYear: number } {
  const match = /^(\d{1,2})\s*[/ -]\s*(\d{2}|\d{4})$/.exec(text) ?? /^(\d{2})(\d{2})$/.exec(text)
  if (match === null) throw invalidRequest('Enter the month and year on the card, such as 04 / 29.')
  return { expMonth: Number(match[1]), expYear: Number(match[2]) }
}

function answerSession(
  reply: FastifyReply,
  session: Stripe.Checkout.Session | undefined,
  shown: { problem?: string | undefined; name?: string } = {},
): FastifyReply {
  void reply.headers({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': contentSecurityPolicy(),
  })
  const send = (status: number, body: string): FastifyReply =>
    reply.status(status).type('text/html; charset=utf-8').send(body)
  if (session === undefined)
    return send(404, messagePage('No such page', 'This address names no card form. Go back and start again.', null))
  if (session.status === 'complete') return reply.redirect(returnAddress(session), 303)
  if (session.status !== 'open')
    return send(
      410,
      messagePage('This form has expired', 'No card was saved. Go back and start again.', session.cancel_url),
    )
  void reply.header('content-security-policy', contentSecurityPolicy(new URL(session.success_url ?? '').origin))
  const { problem, name = '' } = shown
  const view = { name, cancelUrl: session.cancel_url, ...(problem !== undefined && { problem }) }
  return send(problem === undefined ? 200 : 402, cardFormPage(view))
}

function returnAddress(session: Stripe.Checkout.Session): string {
  return (session.success_url ?? '').replaceAll(/\{CHECKOUT_SESSION_ID\}|%7BCHECKOUT_SESSION_ID%7D/gi, session.id)
}
