/**
 * One writer of XML for every action's output, driven by the model: structures as elements, lists as `<item>` inside
 * their own element (empty ones too: clients index them without looking), instants as `2026-07-01T00:00:00.000Z`.
 */
import type { ListShape, Shape, StructureShape } from './ec2-model.ts'

const replacements: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
  '\u0085': '&#x85;',
  '\u2028': '&#x2028;',
}
// What XML 1.0 cannot hold in any spelling: most control characters, two non-characters, halves of surrogate pairs.
const awkward = /[&<>"\r\u0085\u2028\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/
const special = /[&<>"\r\u0085\u2028]/g
const impossible = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/** Text for an element or a quoted attribute. Characters XML cannot hold become U+FFFD. */
export function escapeXml(text: string): string {
  if (!awkward.test(text)) return text
  return text
    .toWellFormed()
    .replace(impossible, '\ufffd')
    .replace(special, (character) => replacements[character] ?? character)
}

/** The elements of a structure, without a tag of their own. Members that are undefined or null are left out. */
export function writeStructure(shape: StructureShape, value: object): string {
  const fields = value as Readonly<Record<string, unknown>>
  let xml = ''
  for (const member of shape.members) {
    const field = fields[member.name]
    if (field !== undefined && field !== null) xml += writeElement(member.shape, field, member.xmlName)
  }
  return xml
}

function writeElement(shape: Shape, value: unknown, tag: string): string {
  switch (shape.kind) {
    case 'structure': {
      const inner = writeStructure(shape, value as object)
      return inner === '' ? `<${tag}/>` : `<${tag}>${inner}</${tag}>`
    }
    case 'list':
      return writeList(shape, value as readonly unknown[], tag)
    case 'timestamp':
      return `<${tag}>${(value as Date).toISOString()}</${tag}>`
    case 'blob':
      return `<${tag}>${Buffer.from(value as Uint8Array).toString('base64')}</${tag}>`
    case 'string':
    case 'number':
    case 'boolean': {
      const text = escapeXml(String(value))
      return text === '' ? `<${tag}/>` : `<${tag}>${text}</${tag}>`
    }
  }
}

function writeList(shape: ListShape, values: readonly unknown[], tag: string): string {
  let inner = ''
  for (const value of values) inner += writeElement(shape.of, value, shape.element)
  return inner === '' ? `<${tag}/>` : `<${tag}>${inner}</${tag}>`
}
