/** The page people see when a request is refused, where no page of their own is drawn. */
import { html } from './markup.ts'
import type { Problem } from './problem.ts'

const titles: Readonly<Record<number, string>> = {
  401: 'Please sign in',
  403: 'Not allowed',
  404: 'There is no such page',
  413: 'Too much at once',
  429: 'Too many requests',
  500: 'Something went wrong here',
  503: 'Not available just now',
}

export function problemPage(problem: Problem): string {
  const title = titles[problem.status] ?? 'That did not work'
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p>${problem.message}</p>
          <p><small>${problem.code}, request ${problem.requestId}</small></p>
        </main>
      </body>
    </html>`.toString()
}
