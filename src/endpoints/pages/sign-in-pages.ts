/** Signing up, in and out; confirming an address; a new password. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../base/fault.ts'
import { html, type Markup } from '../../http/markup.ts'
import { localPath } from '../../identity/local-path.ts'
import { drawPage } from './layout.ts'
import type { PagesHouse } from './pages.ts'
import { field, sendPage } from './reader.ts'

export function addSignInPages(scope: FastifyInstance, house: PagesHouse): void {
  addSignIn(scope, house)
  addSignUp(scope, house)
  addVerification(scope, house)
  addPasswordReset(scope, house)
}

function addSignIn(scope: FastifyInstance, { people }: PagesHouse): void {
  scope.get('/sign-in', async (request, reply) => {
    await sendPage(reply, drawSignIn({ continueTo: field(request.query, 'continue') }))
  })
  scope.post('/sign-in', async (request, reply) => {
    const { body, headers, ip: address } = request
    const continueTo = localPath(field(body, 'continue'))
    try {
      const { setCookies } = await people.signIn({
        email: field(body, 'email'),
        password: field(body, 'password'),
        headers,
        address,
      })
      await goOn(reply, setCookies, continueTo)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      await sendPage(
        reply,
        drawSignIn({ continueTo, email: field(body, 'email'), problem: error.message }),
        error.status,
      )
    }
  })
  scope.post('/sign-out', async (request, reply) => {
    const { setCookies } = await people.signOut(request.headers)
    await goOn(reply, setCookies, '/')
  })
}

function addSignUp(scope: FastifyInstance, { people }: PagesHouse): void {
  scope.get('/sign-up', async (request, reply) => {
    await sendPage(reply, drawSignUp({ continueTo: field(request.query, 'continue') }))
  })
  scope.post('/sign-up', async (request, reply) => {
    const { body, ip: address } = request
    const [email, name, continueTo] = [field(body, 'email'), field(body, 'name'), localPath(field(body, 'continue'))]
    try {
      const { setCookies } = await people.signUp({
        email,
        name,
        password: field(body, 'password'),
        continueTo,
        address,
      })
      reply.header('set-cookie', setCookies)
      await sendPage(
        reply,
        drawPage({
          title: 'Check your mail',
          narrow: true,
          content: html`<h1>Check your mail</h1>
            <p>
              We sent a link to <strong>${email.trim()}</strong>. Open it in this browser to confirm the address; you go
              on where you were.
            </p>
            <p class="hint">
              Nothing arrived after a few minutes? Look among the spam, or <a href="/sign-up">sign up again</a>.
            </p>`,
        }),
      )
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      await sendPage(reply, drawSignUp({ continueTo, email, name, problem: error.message }), error.status)
    }
  })
}

function addVerification(scope: FastifyInstance, { people }: PagesHouse): void {
  const verify = async (
    token: string,
    password: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> => {
    const { headers, ip: address } = request
    const done = await people.verifyEmail({ token, headers, address, ...(password !== '' && { password }) })
    if (done.verified) await goOn(reply, done.setCookies, done.continueTo)
    else await sendPage(reply, drawConfirm(token))
  }
  scope.get('/verify-email', (request, reply) => verify(field(request.query, 'token'), '', request, reply))
  scope.post('/verify-email', async (request, reply) => {
    const token = field(request.body, 'token')
    try {
      await verify(token, field(request.body, 'password'), request, reply)
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'Unauthenticated') throw error
      await sendPage(reply, drawConfirm(token, error.message), error.status)
    }
  })
}

function addPasswordReset(scope: FastifyInstance, { people }: PagesHouse): void {
  scope.get('/forgot-password', async (_request, reply) => {
    await sendPage(
      reply,
      drawPage({
        title: 'New password',
        narrow: true,
        content: html`<h1>Forgot your password?</h1>
          <p class="lead">Give your e-mail address; we send a link that lets you set a new one.</p>
          <form method="post" class="card">
            ${textField('email', 'E-mail address', 'email', 'email')}<button>Send the link</button>
          </form>`,
      }),
    )
  })
  scope.post('/forgot-password', async (request, reply) => {
    await people.requestPasswordReset({ email: field(request.body, 'email'), address: request.ip })
    await sendPage(
      reply,
      drawPage({
        title: 'Check your mail',
        narrow: true,
        content: html`<h1>Check your mail</h1>
          <p>If that address has an account, a link to set a new password is on its way. It works for an hour.</p>`,
      }),
    )
  })
  scope.get('/reset-password', async (request, reply) => {
    await sendPage(reply, drawReset(field(request.query, 'token')))
  })
  scope.post('/reset-password', async (request, reply) => {
    const token = field(request.body, 'token')
    try {
      await people.resetPassword({ token, password: field(request.body, 'password') })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      await sendPage(reply, drawReset(token, error.message), error.status)
      return
    }
    await reply.redirect('/sign-in', 303)
  })
}

async function goOn(reply: FastifyReply, setCookies: string[], to: string): Promise<void> {
  if (setCookies.length > 0) reply.header('set-cookie', setCookies)
  await reply.redirect(to, 303)
}

interface Draft {
  readonly continueTo: string
  readonly email?: string
  readonly name?: string
  readonly problem?: string
}

function drawSignIn({ continueTo, email = '', problem }: Draft): string {
  return drawPage({
    title: 'Sign in',
    narrow: true,
    content: html`<h1>Sign in</h1>
      ${problem !== undefined && html`<p class="note bad" role="alert">${problem}</p>`}
      <form method="post" action="/sign-in" class="card">
        <input type="hidden" name="continue" value="${continueTo}" />
        ${textField('email', 'E-mail address', 'email', 'email', email)}
        ${textField('password', 'Password', 'password', 'current-password')}
        <div class="actions"><button>Sign in</button><a href="/forgot-password">Forgot your password?</a></div>
      </form>
      <p>New here? <a href="/sign-up?continue=${encodeURIComponent(continueTo)}">Make an account</a></p>`,
  })
}

function drawSignUp({ continueTo, email = '', name = '', problem }: Draft): string {
  return drawPage({
    title: 'Make an account',
    narrow: true,
    content: html`<h1>Make an account</h1>
      <p class="lead">One account buys, launches with its own access keys, and may sell too.</p>
      ${problem !== undefined && html`<p class="note bad" role="alert">${problem}</p>`}
      <form method="post" action="/sign-up" class="card">
        <input type="hidden" name="continue" value="${continueTo}" />
        ${textField('name', 'Your name', 'text', 'name', name)}
        ${textField('email', 'E-mail address', 'email', 'email', email)}
        ${textField('password', 'Password', 'password', 'new-password', '', 'At least 10 characters.')}
        <button>Make an account</button>
      </form>
      <p>You have one? <a href="/sign-in?continue=${encodeURIComponent(continueTo)}">Sign in</a></p>`,
  })
}

function drawConfirm(token: string, problem?: string): string {
  return drawPage({
    title: 'Confirm your address',
    narrow: true,
    content: html`<h1>Confirm your address</h1>
      <p class="lead">
        This is another browser than the one you signed up in, so please give the password you chose there.
      </p>
      ${problem !== undefined && html`<p class="note bad" role="alert">${problem}</p>`}
      <form method="post" action="/verify-email" class="card">
        <input type="hidden" name="token" value="${token}" />
        ${textField('password', 'Password', 'password', 'current-password')}
        <button>Confirm</button>
      </form>`,
  })
}

function drawReset(token: string, problem?: string): string {
  return drawPage({
    title: 'Set a new password',
    narrow: true,
    content: html`<h1>Set a new password</h1>
      ${problem !== undefined && html`<p class="note bad" role="alert">${problem}</p>`}
      <form method="post" action="/reset-password" class="card">
        <input type="hidden" name="token" value="${token}" />
        ${textField('password', 'New password', 'password', 'new-password', '', 'At least 10 characters. Every browser that is signed in is signed out.')}
        <button>Set the password</button>
      </form>`,
  })
}

/** A labelled field; required, as every field of these forms is. */
function textField(name: string, label: string, type: string, autocomplete: string, value = '', hint = ''): Markup {
  return html`<div class="field">
    <label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${type}"
      autocomplete="${autocomplete}"
      value="${value}"
      required${hint !== '' && html` aria-describedby="${name}-hint"`}
    />
    ${hint !== '' && html`<p class="hint" id="${name}-hint">${hint}</p>`}
  </div>`
}
