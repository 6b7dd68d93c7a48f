/**
 * Configuration: one table of keys, each settable in a JSON file (`turnpike.json`, or the file `TURNPIKE_CONFIG` names)
 * and by an environment variable, which wins. Unknown or wrong keys are refused by name.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { Fault } from './fault.ts'
import { parseAmount } from './money.ts'
import { parseInstant } from './time.ts'

const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
const port = wholeNumber(0, 65_535)
const minorUsd = z
  .string()
  .regex(/^\d+(\.\d{1,2})?$/, 'expected an amount such as 0.30')
  .transform((text) => parseAmount(text, 'USD').minor)
const daysList = z
  .string()
  .regex(/^\d+(,\d+)*$/, 'expected days after the first charge, such as 7,14,21')
  .transform((text) => text.split(',').map(Number))

function wholeNumber(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`
  return z.coerce.number(error).int(error).min(min, error).max(max, error)
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

interface Key {
  readonly variable: string
  readonly schema: z.ZodType
  readonly about: string
  readonly secret?: true
}

/** Every key. `turnpike config` prints this table; docs/operating/configuration.md is made from it. */
export const configKeys = {
  dataFolder: {
    variable: 'TURNPIKE_DATA',
    schema: z.string().min(1).default('.turnpike'),
    about: 'Folder of the embedded PostgreSQL, the master key and the service record.',
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'expected postgres://user@host/database')
      .optional(),
    about: 'Any PostgreSQL 15 or newer, used instead of the embedded one.',
    secret: true,
  },
  masterKey: {
    variable: 'TURNPIKE_MASTER_KEY',
    schema: z
      .string()
      .refine((text) => Buffer.from(text, 'base64').length === 32, 'expected 32 bytes in base64')
      .optional(),
    about:
      'Seals secrets at rest: 32 bytes in base64 (openssl rand -base64 32). Without it one is made in the data folder; needed with DATABASE_URL.',
    secret: true,
  },
  host: {
    variable: 'TURNPIKE_HOST',
    schema: z.string().min(1).default('127.0.0.1'),
    about: 'Address to listen on.',
  },
  port: { variable: 'TURNPIKE_PORT', schema: port.default(8080), about: 'Port to listen on; 0 takes a free one.' },
  sandboxPort: {
    variable: 'TURNPIKE_SANDBOX_PORT',
    schema: port.default(0),
    about: 'Port of the built-in payment sandbox on the loopback address; 0 takes a free one.',
  },
  publicUrl: {
    variable: 'TURNPIKE_PUBLIC_URL',
    schema: z
      .url({ protocol: /^https?$/, error: 'expected an http or https URL such as https://turnpike.example' })
      .transform((text) => text.replace(/\/+$/, ''))
      .optional(),
    about:
      'The address buyers and sellers reach this service at; used in purchase URLs and mails. Default: the address listened on.',
  },
  trustProxy: {
    variable: 'TURNPIKE_TRUST_PROXY',
    schema: flag.default(false),
    about: 'Believe X-Forwarded-For and X-Forwarded-Proto; only behind a proxy that sets them.',
  },
  clock: {
    variable: 'TURNPIKE_CLOCK',
    schema: z.enum(['system', 'manual'], 'expected system or manual').default('system'),
    about: 'The clock of billing: the system’s, or one that stands still until it is advanced (trials, tests).',
  },
  clockStart: {
    variable: 'TURNPIKE_CLOCK_START',
    schema: z
      .string()
      .transform((text, context) => {
        const instant = parseInstant(text)
        if (instant !== undefined) return instant
        context.addIssue({ code: 'custom', message: 'expected an instant such as 2026-06-01T00:00:00Z' })
        return z.NEVER
      })
      .optional(),
    about: 'Where a manual clock stands when a new database gets it. Default: now.',
  },
  approval: {
    variable: 'TURNPIKE_APPROVAL',
    schema: z.enum(['operator', 'automatic'], 'expected operator or automatic').default('operator'),
    about: 'Whether the operator approves each product, or registration approves by itself.',
  },
  rateCard: {
    variable: 'TURNPIKE_RATE_CARD',
    schema: z.string().min(1).optional(),
    about:
      'The cloud’s own rates, a file as in docs/operating/rate-card.md. Default: the sample shipped with Turnpike.',
  },
  defaultRegion: {
    variable: 'TURNPIKE_DEFAULT_REGION',
    schema: z.string().min(1).default('us-east-1'),
    about: 'Region of EC2 requests whose signature names none of the cloud’s regions.',
  },
  transactionFee: {
    variable: 'TURNPIKE_TRANSACTION_FEE',
    schema: minorUsd.default(30n),
    about: 'Fee per product on each collected bill, kept when the bill is refunded (spec §7).',
  },
  percentageFee: {
    variable: 'TURNPIKE_PERCENTAGE_FEE',
    schema: z
      .string()
      .regex(/^\d{1,2}(\.\d{1,2})?$/, 'expected a percentage such as 3 or 2.5')
      .default('3')
      .transform((text) => parseAmount(text, 'USD').minor),
    about: 'Percentage of the value-add (spec §7). Kept in basis points: 3 becomes 300.',
  },
  minimumBill: {
    variable: 'TURNPIKE_MINIMUM_BILL',
    schema: minorUsd.default(50n),
    about: 'Monthly bills below this carry forward to the next month (spec §5).',
  },
  retryDays: {
    variable: 'TURNPIKE_RETRY_DAYS',
    schema: daysList.default([7, 14, 21]),
    about: 'Days after a failed charge on which it is tried again; after the last the subscriptions end (spec §6).',
  },
  endOfAccessGraceMinutes: {
    variable: 'TURNPIKE_END_OF_ACCESS_GRACE_MINUTES',
    schema: wholeNumber(0, 43_200).default(60),
    about: 'Minutes between the end of a subscription and what its end-of-access policy does to running instances.',
  },
  instancesPerAccountMax: {
    variable: 'TURNPIKE_INSTANCES_PER_ACCOUNT_MAX',
    schema: wholeNumber(1, 10_000_000).default(1000),
    about: 'Instances an account may have that are not stopped or terminated; a launch beyond them is refused.',
  },
  payoutMinimum: {
    variable: 'TURNPIKE_PAYOUT_MINIMUM',
    schema: minorUsd.default(100n),
    about: 'A seller’s balance below this waits for a later payout run.',
  },
  smtpUrl: {
    variable: 'TURNPIKE_SMTP_URL',
    schema: z
      .string()
      .regex(/^smtps?:\/\//, 'expected smtp://user:password@host:port')
      .optional(),
    about: 'Mail server. Without it mails stay in the mailbox inside the service, which the operator can read.',
    secret: true,
  },
  mailFrom: {
    variable: 'TURNPIKE_MAIL_FROM',
    schema: z.string().min(3).default('Turnpike <turnpike@localhost>'),
    about: 'Sender of mails.',
  },
  stripeSecretKey: {
    variable: 'STRIPE_SECRET_KEY',
    schema: z
      .string()
      .regex(/^sk_(test|live)_/, 'expected a Stripe secret key, sk_…')
      .optional(),
    about: 'Charge through Stripe. Without it the built-in sandbox is the processor.',
    secret: true,
  },
  stripeWebhookSecret: {
    variable: 'STRIPE_WEBHOOK_SECRET',
    schema: z
      .string()
      .regex(/^whsec_/, 'expected a Stripe webhook secret, whsec_…')
      .optional(),
    about: 'Verifies the webhooks Stripe sends to /hooks/stripe.',
    secret: true,
  },
  logLevel: {
    variable: 'TURNPIKE_LOG_LEVEL',
    schema: z.enum(logLevels, `expected one of ${logLevels.join(', ')}`).default('info'),
    about: 'Least severe level that is logged.',
  },
} as const satisfies Record<string, Key>

type Keys = typeof configKeys

export type Config = { readonly [K in keyof Keys]: z.output<Keys[K]['schema']> }

/** Everything a deployment may set, before it is checked. */
export type ConfigInput = { readonly [K in keyof Keys]?: z.input<Keys[K]['schema']> | undefined }

/**
 * Reads the configuration: flags of the command line, then the environment, then the file.
 *
 * @param overrides what the command line said
 * @param environment usually `process.env`
 * @throws Fault InvalidConfiguration naming every unknown or wrong key, where it was found and what is allowed
 */
export function loadConfig(overrides: ConfigInput = {}, environment: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  const origins: Record<string, string> = {}
  const take = (key: string, value: unknown, origin: string): void => {
    values[key] = value
    origins[key] = origin
  }

  const file = environment['TURNPIKE_CONFIG'] ?? 'turnpike.json'
  if (environment['TURNPIKE_CONFIG'] !== undefined || existsSync(file)) {
    for (const [key, value] of Object.entries(readConfigFile(file))) {
      if (Object.hasOwn(configKeys, key)) take(key, value, `${key} in ${file}`)
      else
        problems.push(`${key} in ${file} is not a key of the configuration${suggestion(key, Object.keys(configKeys))}`)
    }
  }
  const variables = new Map(Object.entries(configKeys).map(([key, { variable }]) => [variable as string, key]))
  for (const [variable, value] of Object.entries(environment)) {
    const key = variables.get(variable)
    if (key !== undefined && value !== undefined && value !== '') take(key, value, variable)
    else if (variable.startsWith('TURNPIKE_') && key === undefined && variable !== 'TURNPIKE_CONFIG') {
      problems.push(`${variable} is not a variable of the configuration${suggestion(variable, [...variables.keys()])}`)
    }
  }
  for (const [key, value] of Object.entries(overrides)) {
    if (value !== undefined) take(key, value, `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
  }

  const config: Record<string, unknown> = {}
  for (const [key, { schema }] of Object.entries(configKeys)) {
    const result = schema.safeParse(values[key])
    if (result.success) config[key] = result.data
    else problems.push(`${origins[key] ?? key}: ${result.error.issues.map((issue) => issue.message).join('; ')}`)
  }
  if (problems.length > 0) {
    throw new Fault(
      'InvalidConfiguration',
      `The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nRun "turnpike config" for every key, its variable and its meaning.`,
    )
  }
  return config as unknown as Config
}

/** The address in every link that leaves the service. `src/main.ts` sets `publicUrl` where the port is only known once listening. */
export function publicUrlOf(config: Config): string {
  return config.publicUrl ?? httpUrl(config.host, config.port)
}

/** @param host a name, an IPv4 or an IPv6 address */
export function httpUrl(host: string, portNumber: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${portNumber}`
}

function readConfigFile(file: string): Record<string, unknown> {
  const path = resolve(file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Fault(
      'InvalidConfiguration',
      `The configuration file ${file} cannot be read: ${(error as Error).message}`,
    )
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw new Fault('InvalidConfiguration', `The configuration file ${file} is not JSON: ${(error as Error).message}`)
  }
  throw new Fault('InvalidConfiguration', `The configuration file ${file} holds no JSON object.`)
}

/** Names the closest known key when it is near enough to be a slip of the pen. */
function suggestion(found: string, known: readonly string[]): string {
  const flatten = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '')
  const close = known.find((key) => flatten(key).includes(flatten(found)) || flatten(found).includes(flatten(key)))
  return close === undefined ? '' : `; did you mean ${close}?`
}
