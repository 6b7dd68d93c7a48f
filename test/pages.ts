/** What tests ask of any page of the service. */
import type { HTMLElement } from 'node-html-parser'
import type { Page, Visitor } from '../src/cli/demo/visitor.ts'

/** The page's alert or status, without white space at its ends. */
export function noteOf(page: Page): string {
  return fold(page.document.querySelector('.note')?.textContent ?? '')
}

export function textOf(page: Page, selector: string): string {
  return fold(page.document.querySelector(selector)?.textContent ?? '')
}

/** The rows of the table with this label, each cell folded. */
export function rowsOf(page: Page, label: string): string[][] {
  const region = page.document.querySelectorAll('[role=region]').find((one) => one.getAttribute('aria-label') === label)
  return (region?.querySelectorAll('tbody tr, tfoot tr') ?? []).map((row) =>
    row.querySelectorAll('th, td').map((cell) => fold(cell.textContent)),
  )
}

/** Everything that is wrong with the form of a page; empty when nothing is. */
export function flawsOf({ document, url }: Page): string[] {
  const flaws: string[] = []
  const count = (selector: string): number => document.querySelectorAll(selector).length
  if (count('h1') !== 1) flaws.push(`${count('h1')} main headings`)
  if (count('title') !== 1) flaws.push('no title')
  for (const banned of ['script', '[style]', '[onclick]', '[onerror]', '[onload]', 'style', 'img', 'object']) {
    if (count(banned) > 0) flaws.push(`holds ${banned}`)
  }
  const ids = document.querySelectorAll('[id]').map((one) => one.getAttribute('id'))
  if (new Set(ids).size !== ids.length) flaws.push('an id stands twice')
  for (const control of document.querySelectorAll('input, select, textarea')) {
    if (control.getAttribute('type') !== 'hidden' && !isLabelled(document, control)) {
      flaws.push(`no label for ${control.getAttribute('name') ?? '?'}`)
    }
  }
  for (const one of document.querySelectorAll('button, a')) {
    if (fold(one.textContent) === '') flaws.push(`an empty ${one.tagName}`)
  }
  for (const form of document.querySelectorAll('form')) {
    const action = form.getAttribute('action') ?? url
    if (new URL(action, url).origin !== new URL(url).origin) flaws.push(`a form that posts to ${action}`)
  }
  return flaws.map((flaw) => `${new URL(url).pathname}: ${flaw}`)
}

function isLabelled(document: HTMLElement, control: HTMLElement): boolean {
  if (control.closest('label') !== null) return true
  const id = control.getAttribute('id')
  return document.querySelectorAll('label').some((label) => label.getAttribute('for') === id)
}

/** Opens every page of the service that links lead to, from the given ones on. */
export async function walk(visitor: Visitor, starts: readonly string[]): Promise<Map<string, Page>> {
  const seen = new Map<string, Page>()
  const waiting = [...starts]
  const { origin } = new URL(starts[0] ?? '')
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    if (seen.has(url)) continue
    const page = await visitor.open(url)
    seen.set(url, page)
    for (const link of page.document.querySelectorAll('a')) {
      const to = new URL(link.getAttribute('href') ?? '', page.url)
      to.hash = ''
      if (to.origin === origin && !to.pathname.startsWith('/api/')) waiting.push(to.href)
    }
  }
  return seen
}

function fold(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
