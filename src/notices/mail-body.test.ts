import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { expect, test } from 'vitest'
import { htmlBody, textBody } from './mail-body.ts'

const content = {
  subject: 'Your bill for June 2026',
  paragraphs: ['The charge of $24.67 was refused.', 'We try again on 8 July.'],
  table: [
    ['ABC AMI', '$24.67'],
    ['Total', '$24.67'],
  ],
  action: { label: 'Change your card', url: 'https://turnpike.example/billing?from=mail&x=1' },
} as const

test('the text says everything, one thing after the other', () => {
  expect(textBody(content, 'https://turnpike.example')).toBe(
    [
      'The charge of $24.67 was refused.',
      'We try again on 8 July.',
      '  ABC AMI: $24.67\n  Total: $24.67',
      'Change your card:\nhttps://turnpike.example/billing?from=mail&x=1',
      '-- \nThis mail was sent by Turnpike, https://turnpike.example\n',
    ].join('\n\n'),
  )
})

test('the HTML is well formed, in one language, with a heading, row headers and the same link twice', () => {
  const body = htmlBody(content, 'https://turnpike.example').replace('<!doctype html>', '')
  expect(XMLValidator.validate(body)).toBe(true)
  const { html } = new XMLParser({ ignoreAttributes: false }).parse(body) as Record<string, any>
  expect(html['@_lang']).toBe('en')
  expect(html.head.title).toBe('Your bill for June 2026')
  expect(html.body.main.h1['#text']).toBe('Your bill for June 2026')
  expect(
    html.body.main.table.tbody.tr.map((row: any) => [row.th['@_scope'], row.th['#text'], row.td['#text']]),
  ).toEqual([
    ['row', 'ABC AMI', '$24.67'],
    ['row', 'Total', '$24.67'],
  ])
  expect(body).not.toMatch(/<(script|img|link|style)\b/)
})

test('what sellers and buyers wrote is text, never markup', () => {
  const hostile = '"><script>alert(1)</script>&'
  const body = htmlBody(
    {
      subject: hostile,
      paragraphs: [hostile],
      table: [[hostile, hostile]],
      action: { label: hostile, url: `https://turnpike.example/${hostile}` },
    },
    'https://turnpike.example',
  )
  expect(body).not.toContain('<script')
  expect(body).not.toContain(hostile)
  expect(XMLValidator.validate(body.replace('<!doctype html>', ''))).toBe(true)
})
