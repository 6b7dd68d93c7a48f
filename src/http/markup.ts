/**
 * HTML by template: what is put in is escaped, unless it is markup itself. Nested templates are objects and not text, so
 * that forgetting to escape is impossible; with libraries whose templates give text, one wrong sign is an injection.
 */
const replacements: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A piece of HTML that is safe to write out. `html` makes it; made directly only of constants, never of anything given. */
export class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

type Piece = Markup | string | number | bigint | false | null | undefined | readonly Piece[]

/** Escapes everything put in; lists are joined; `false`, `null` and `undefined` are nothing. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  let text = strings[0] ?? ''
  for (const [index, piece] of pieces.entries()) text += write(piece) + (strings[index + 1] ?? '')
  return new Markup(text)
}

function write(piece: Piece): string {
  if (piece === false || piece === null || piece === undefined) return ''
  if (piece instanceof Markup) return piece.toString()
  if (typeof piece === 'object') return piece.map(write).join('')
  return String(piece).replaceAll(/[&<>"']/g, (character) => replacements[character] ?? '')
}
