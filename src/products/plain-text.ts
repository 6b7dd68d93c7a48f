/** Text that people type and other people read: trimmed, bounded, and free of characters that hide or reorder it. */
import { z } from 'zod'

/** Control characters, and the marks that change the reading direction (text that shows other than it reads). */
const hidden = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u
const hiddenButBreaks = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u

/** One line of text. */
export function line(charactersMax: number): z.ZodType<string, string> {
  return text(charactersMax, (value) => value.trim(), hidden)
}

/** Text of several lines; line ends become `\n`. */
export function paragraphs(charactersMax: number): z.ZodType<string, string> {
  return text(charactersMax, (value) => value.replace(/\r\n?|[\u2028\u2029]/g, '\n').trim(), hiddenButBreaks)
}

function text(charactersMax: number, clean: (value: string) => string, refused: RegExp): z.ZodType<string, string> {
  return z
    .string('is missing; give it as text')
    .transform(clean)
    .pipe(
      z
        .string()
        .min(1, 'is empty')
        .max(charactersMax, `has more than ${charactersMax} characters`)
        .refine(
          (value) => !refused.test(value) && value.isWellFormed(),
          'holds control characters, which are not allowed',
        ),
    )
}
