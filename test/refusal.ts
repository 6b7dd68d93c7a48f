/** What the REST API says when it refuses. */
import { expect } from 'vitest'

/**
 * The form of an answer, for `toMatchObject`.
 *
 * @param parameter the one that `data` names
 * @param detail a piece of the sentence
 */
export function refusal(status: number, code: string, parameter?: string, detail = ''): Record<string, unknown> {
  return {
    status,
    body: {
      type: 'about:blank',
      title: code,
      status,
      code,
      detail: expect.stringContaining(detail) as unknown,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      ...(parameter !== undefined && { data: { parameter } }),
    },
  }
}
