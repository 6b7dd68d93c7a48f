import { expect, test } from 'vitest'
import { html } from './markup.ts'

test('what is put in is escaped, in text and in attributes', () => {
  const text = `<b>&"'`
  expect(html`<p title="${text}">${text}</p>`.toString()).toBe(
    '<p title="&lt;b&gt;&amp;&quot;&#39;">&lt;b&gt;&amp;&quot;&#39;</p>',
  )
})

test('markup inside markup is not escaped again; what is text stays text', () => {
  const inner = html`<b>${'<'}</b>`
  expect(html`<p>${inner}</p>`.toString()).toBe('<p><b>&lt;</b></p>')
  expect(html`<p>${inner.toString()}</p>`.toString()).toBe('<p>&lt;b&gt;&amp;lt;&lt;/b&gt;</p>')
})

test('lists are joined, numbers written, and nothing is nothing', () => {
  expect(html`<i>${[html`<b></b>`, ['<', 1n], 0]}${false}${null}${undefined}</i>`.toString()).toBe(
    '<i><b></b>&lt;10</i>',
  )
})
