/**
 * The clock of billing. `system` is the machine's time. `manual` is one row in the database that stands still until it is
 * advanced, so that every process sees the same instant and a restart keeps it.
 */
import type { ClientBase } from 'pg'

export interface Clock {
  readonly kind: 'system' | 'manual'
  /** The instant now, as the given connection sees it. */
  now(client: ClientBase): Promise<Date>
}

export const systemClock: Clock = {
  kind: 'system',
  now: () => Promise.resolve(new Date()),
}

export const manualClock: Clock = {
  kind: 'manual',
  async now(client) {
    const result = await client.query<{ now: Date }>('select now from clock')
    const row = result.rows[0]
    if (row === undefined) throw new Error('the manual clock was never set; start the service with --clock manual')
    return row.now
  },
}
