/** The page people see when a request is refused. */
import type { Problem } from '../../http/problem.ts'
import { html } from '../../http/markup.ts'
import { drawPage } from './layout.ts'

const titles: Readonly<Record<number, string>> = {
  401: 'Please sign in',
  402: 'The payment did not go through',
  403: 'Not allowed',
  404: 'There is no such page',
  409: 'That is not possible any more',
  429: 'Too many requests',
  500: 'Something went wrong here',
  503: 'Not available just now',
}

export function drawProblem(problem: Problem): string {
  const title = titles[problem.status] ?? 'That did not work'
  return drawPage({
    title,
    narrow: true,
    nameless: true,
    content: html`<h1>${title}</h1>
      <p class="note bad" role="alert">${problem.message}</p>
      <p class="hint">${problem.code} · request <span class="mono">${problem.requestId}</span></p>
      <p>${problem.status === 401 && html`<a href="/sign-in">Sign in</a> · `}<a href="/">To the start page</a></p>`,
  })
}
