/** Long lists, a page at a time: the next page begins behind the last entry of this one. */
import { isUuid } from '../../base/ids.ts'
import { html, type Markup } from '../../http/markup.ts'
import { field } from './reader.ts'

/** Where a page ended: instant and id of its last entry. */
export interface Mark {
  readonly at: Date
  readonly id: string
}

/** The mark a link of `drawOlder` carries; undefined on the first page, and for anything that is none. */
export function readMark(query: unknown): Mark | undefined {
  const [milliseconds = '', id = ''] = field(query, 'before').split('~')
  if (!/^\d{1,15}$/.test(milliseconds) || !isUuid(id)) return undefined
  return { at: new Date(Number(milliseconds)), id }
}

/**
 * The links below a list.
 *
 * @param last where this page ended; undefined when there is nothing behind it
 */
export function drawOlder(path: string, first: boolean, last: Mark | undefined): Markup {
  if (first && last === undefined) return html``
  const older = last && `${path}${path.includes('?') ? '&' : '?'}before=${last.at.getTime()}~${last.id}`
  return html`<nav class="pages" aria-label="Pages">
    ${!first && html`<a href="${path}">Newest</a>`} ${older !== undefined && html`<a href="${older}">Older</a>`}
  </nav>`
}

/** One page of a list of which one entry more than the page holds was asked for. */
export function cut<Entry>(
  entries: readonly Entry[],
  size: number,
): { shown: readonly Entry[]; last: Entry | undefined } {
  const shown = entries.slice(0, size)
  return { shown, last: entries.length > size ? shown.at(-1) : undefined }
}
