/** Logs and metrics. One redaction list for every log line. */
import { pino, type DestinationStream, type Logger } from 'pino'
import { Registry, collectDefaultMetrics } from 'prom-client'

export type Log = Logger

/** Names of fields whose value never reaches a log, wherever they stand. */
const secretFields = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'secretAccessKey',
  'masterKey',
  'databaseUrl',
  'stripeSecretKey',
  'stripeWebhookSecret',
  'smtpUrl',
  'token',
  'signature',
  'activationKey',
  'client_secret',
  'number',
  'cvc',
]

const redactedPaths = secretFields.flatMap((field) => {
  const name = /^[a-zA-Z_]\w*$/.test(field) ? `.${field}` : `["${field}"]`
  const top = name.startsWith('.') ? field : name
  return [top, `*${name}`, `*.*${name}`, `*.*.*${name}`]
})

/** A JSON logger to standard error (standard output belongs to what commands print). */
export function createLog(level: string, destination: DestinationStream = pino.destination(2)): Log {
  return pino(
    { level, redact: { paths: redactedPaths, censor: '[redacted]' }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  )
}

/** A registry with the process's own metrics; rooms add theirs to it. */
export function createMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'turnpike_' })
  return registry
}
