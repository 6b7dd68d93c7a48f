/**
 * Names for prepared statements: PostgreSQL then parses and plans a text once for each connection instead of at every use.
 * Connections keep what they prepared for as long as they live, so only so many texts are named: the first that come twice.
 * Every text of this project is fixed but for its optional parts and the lengths of a few lists; texts that never
 * come again therefore take no place.
 */
import { createHash } from 'node:crypto'

export class StatementNames {
  readonly #names = new Map<string, string>()
  readonly #seenOnce = new Set<string>()
  readonly #max: number

  constructor(max = 500) {
    this.#max = max
  }

  /** @returns a name that is the same in every process; undefined for a text that is not worth one, or comes too late */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= this.#max) return known
    if (!this.#seenOnce.delete(text)) {
      if (this.#seenOnce.size >= this.#max) this.#seenOnce.clear()
      this.#seenOnce.add(text)
      return undefined
    }
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 22)
    this.#names.set(text, name)
    return name
  }
}
