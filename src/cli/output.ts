/** What commands print: text for people or one JSON value for machines on standard output; progress and errors on standard error. */
import { Fault } from '../base/fault.ts'

/** JSON on one line, bigints as decimal strings, which is how amounts cross every JSON wire. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))
}

/**
 * Prints a result.
 *
 * @param asJson print `value` as JSON instead of `text()`
 */
export function print(asJson: boolean, value: unknown, text: () => string): void {
  process.stdout.write(`${asJson ? toJson(value) : text()}\n`)
}

/** Columns of text under their headings; a sentence instead when there are no rows. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(headings), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}

/** Tells a refusal or a failure: what was found, what is allowed, what to do. Never a stack trace for a refusal. */
export function printError(error: unknown, asJson: boolean): void {
  const fault = error instanceof Fault ? error : undefined
  const message = error instanceof Error ? error.message : String(error)
  if (asJson) process.stderr.write(`${toJson({ error: { code: fault?.code ?? 'Internal', message } })}\n`)
  else
    process.stderr.write(
      `turnpike: ${fault === undefined && error instanceof Error ? (error.stack ?? message) : message}\n`,
    )
}

/** Says on standard error how far long work is: one line that is rewritten on a terminal, a line a second elsewhere. */
export class Progress {
  readonly #started = performance.now()
  #lastMs = 0
  #drawn = false

  /** @param text what was done so far, such as `closed 12,000 of 40,000 accounts` */
  report(text: string): void {
    const now = performance.now()
    if (now - this.#started < 1000 || now - this.#lastMs < (process.stderr.isTTY ? 100 : 1000)) return
    this.#lastMs = now
    this.#drawn = true
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[2K${text}` : `${text}\n`)
  }

  /** Takes the line away again. */
  end(): void {
    if (this.#drawn && process.stderr.isTTY) process.stderr.write('\r\u001b[2K')
  }
}
