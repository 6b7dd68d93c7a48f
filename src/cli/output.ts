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

/**
 * Columns of text under their headings, two spaces apart, nothing cut off; a sentence instead when there are no rows. Names
 * that hold control characters cannot move a terminal's cursor.
 */
export function table(headings: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty
  const shown = rows.map((row) => row.map((cell) => cell.replaceAll(/[\p{Cc}\u2028-\u202E]+/gu, ' ')))
  const widths = headings.map((heading, column) =>
    shown.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), heading.length),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(headings), line(widths.map((width) => '─'.repeat(width))), ...shown.map(line)].join('\n')
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

const progressAfterMs = 1000

/**
 * Says on standard error how far long work is, once it has taken a second: one line that is rewritten on a terminal, a line
 * a second elsewhere.
 */
export class Progress {
  readonly #out: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>
  readonly #startedMs = performance.now()
  #lastMs = Number.NEGATIVE_INFINITY
  #drawn = false
  #timer: NodeJS.Timeout | undefined

  constructor(out: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr) {
    this.#out = out
  }

  /** @param text what was done so far, such as `closed 12,000 of 40,000 accounts` */
  report(text: string): void {
    const nowMs = performance.now()
    if (nowMs - this.#startedMs < progressAfterMs || nowMs - this.#lastMs < (this.#out.isTTY ? 100 : 1000)) return
    this.#lastMs = nowMs
    this.#draw(text)
  }

  /** Says on a terminal what is waited for, when it takes longer than a second. */
  wait(text: string): void {
    if (this.#out.isTTY) this.#timer = setTimeout(() => this.#draw(text), progressAfterMs)
  }

  #draw(text: string): void {
    this.#drawn = true
    this.#out.write(this.#out.isTTY ? `\r\u001b[2K${text}` : `${text}\n`)
  }

  /** Takes the line away again. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#drawn && this.#out.isTTY) this.#out.write('\r\u001b[2K')
    this.#drawn = false
  }
}

/** A reader of our output that has seen enough (`| head`) is no error of ours. */
export function bearClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
