/**
 * Reads form encoding with bracket names (`metadata[order]=7`, `expand[0]=customer`, `types[]=a`) into nested values.
 * Whether numbered keys mean a list is for the schema of the parameter to say, so the reader keeps everything as keys.
 */
import { invalidRequest } from './sandbox.ts'

export type FormValue = string | FormValues
/** Without a prototype: a parameter called `constructor` is only a parameter. */
export interface FormValues {
  [key: string]: FormValue
}

const pairsMax = 1000
const depthMax = 6
const nameLengthMax = 500

/**
 * @throws Refusal 400 when the text is malformed, contradicts itself or exceeds a limit
 */
export function readForm(text: string): FormValues {
  const form = emptyForm()
  if (text === '') return form
  const pairs = text.split('&')
  if (pairs.length > pairsMax) throw invalidRequest(`At most ${pairsMax} parameters are allowed.`)
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    place(form, keysOf(name), name, equals === -1 ? '' : decode(pair.slice(equals + 1)))
  }
  return form
}

function emptyForm(): FormValues {
  return Object.create(null) as FormValues
}

function decode(text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw invalidRequest('The request is not form-encoded: a percent sign is not followed by two hex digits of UTF-8.')
  }
  // PostgreSQL cannot keep it in a text.
  if (decoded.includes('\0')) throw invalidRequest('The request contains a NUL character.')
  return decoded
}

function keysOf(name: string): string[] {
  if (name.length > nameLengthMax) throw invalidRequest(`A parameter name has more than ${nameLengthMax} characters.`)
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name)
  if (match === null) throw invalidRequest(`Invalid parameter name: ${name}`, undefined, name)
  const [, head = '', brackets = ''] = match
  const keys = brackets === '' ? [head] : [head, ...brackets.slice(1, -1).split('][')]
  if (keys.length > depthMax) throw invalidRequest(`The parameter ${name} is nested too deeply.`, undefined, name)
  if (keys.includes('__proto__')) throw invalidRequest(`Invalid parameter name: ${name}`, undefined, name)
  return keys
}

function place(form: FormValues, keys: readonly string[], name: string, value: string): void {
  let node = form
  for (const [depth, written] of keys.entries()) {
    const key = written === '' ? String(Object.keys(node).length) : written
    const held = node[key]
    if (depth === keys.length - 1) {
      if (held !== undefined) throw invalidRequest(`The parameter ${name} is given twice.`, undefined, name)
      node[key] = value
      return
    }
    if (typeof held === 'string')
      throw invalidRequest(`The parameter ${name} is both a value and a group.`, undefined, name)
    node = node[key] = held ?? emptyForm()
  }
}
