/**
 * Delivery of events to the webhook endpoint: at least once, in the order they happened, signed as Stripe signs. The
 * receiver knows an event again by its id. One round runs at a time; a second process delivering too costs repeats only.
 */
import { createHmac } from 'node:crypto'
import type { Log } from '../base/telemetry.ts'
import type { Database } from '../database/database.ts'
import { pendingDeliveries, recordAttempt, type PendingDelivery } from './store.ts'

const pageSize = 50
const timeoutMs = 10_000

export interface Delivery {
  /** Sends every undelivered event, failed ones again. Returns how many the receiver took. */
  deliver(): Promise<number>
  /** Sends events never tried before, in the background. */
  deliverSoon(): void
  /** Ends what is running; what was not taken stays undelivered. */
  close(): Promise<void>
}

export function createDelivery(options: {
  database: Database
  log: Log
  webhookUrl: () => string | undefined
  webhookSecret: string
}): Delivery {
  const closing = new AbortController()
  let last: Promise<unknown> = Promise.resolve()
  let soon = false

  const queue = (untriedOnly: boolean): Promise<number> => {
    const round = last.then(() => deliverRound(options, untriedOnly, closing.signal))
    last = round.catch(() => undefined)
    return round
  }
  return {
    deliver: () => queue(false),
    deliverSoon() {
      // A round that waits to begin will see what was just written.
      if (soon || closing.signal.aborted) return
      soon = true
      last = last.then(() => void (soon = false))
      queue(true).catch((error: unknown) => options.log.warn({ err: error }, 'webhooks could not be delivered'))
    },
    async close() {
      closing.abort()
      await last
    },
  }
}

type RoundOptions = Parameters<typeof createDelivery>[0]

async function deliverRound(options: RoundOptions, untriedOnly: boolean, closing: AbortSignal): Promise<number> {
  let taken = 0
  let after = 0n
  for (;;) {
    const url = options.webhookUrl()
    if (url === undefined || closing.aborted) return taken
    const page = await options.database.read((tx) => pendingDeliveries(tx, { after, limit: pageSize, untriedOnly }))
    for (const delivery of page) {
      if (closing.aborted) return taken
      const outcome = await send(url, delivery, options.webhookSecret, closing)
      if (outcome.interrupted) return taken
      await options.database.transaction((tx) => recordAttempt(tx, delivery.event.id, outcome.error))
      if (outcome.error === undefined) taken += 1
      else reportFailure(options.log, delivery, outcome.error)
      // Nobody answers there: the others would fail alike.
      if (outcome.unreachable) return taken
      after = delivery.ordinal
    }
    if (page.length < pageSize) return taken
  }
}

/** Told once as a warning: an event is tried every few seconds for as long as it is not taken. */
function reportFailure(log: Log, { event, attempts }: PendingDelivery, error: string): void {
  const level = attempts === 0 ? 'warn' : 'debug'
  log[level]({ event: event.id, type: event.type, attempts: attempts + 1, error }, 'a webhook was not taken')
}

interface Outcome {
  readonly error?: string
  readonly unreachable?: true
  readonly interrupted?: true
}

async function send(url: string, { event }: PendingDelivery, secret: string, closing: AbortSignal): Promise<Outcome> {
  const body = JSON.stringify({ ...event, pending_webhooks: 1 }, null, 2)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signatureOf(body, secret) },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)]),
    })
    await response.body?.cancel()
    return response.ok ? {} : { error: `the endpoint answered ${response.status}` }
  } catch (error) {
    if (closing.aborted) return { interrupted: true }
    const { message, cause } = error as Error
    return { error: `${message}${cause instanceof Error ? `: ${cause.message}` : ''}`, unreachable: true }
  }
}

/** The header Stripe-Signature. Its time is the real one: receivers refuse old signatures by their own clock. */
export function signatureOf(body: string, secret: string, timeSeconds = Math.floor(Date.now() / 1000)): string {
  const signature = createHmac('sha256', secret).update(`${timeSeconds}.${body}`).digest('hex')
  return `t=${timeSeconds},v1=${signature}`
}
