/**
 * The composition root, the only file that knows every folder. It puts the rooms together twice: as a **house** (database,
 * processor, tasks, due work), which operator commands use too, and as the **service**, a house that listens and works.
 */
import { createServer as createNetServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { httpUrl, publicUrlOf, type Config } from './base/config.ts'
import { Fault } from './base/fault.ts'
import { createMetrics, type Log } from './base/telemetry.ts'
import { localDriver } from './compute/local-driver.ts'
import { openDatabase, type OpenedDatabase, type OpenOptions } from './database/open.ts'
import { createTaskPool, endPool } from './database/pool.ts'
import type { Database } from './database/database.ts'
import { readServiceRecord, writeServiceRecord } from './database/service-record.ts'
import { awsEndpoint } from './endpoints/aws/dispatch.ts'
import { hooksEndpoint } from './endpoints/hooks/hooks.ts'
import { metricsEndpoint } from './endpoints/metrics/metrics.ts'
import { pagesEndpoint } from './endpoints/pages/pages.ts'
import { drawProblem } from './endpoints/pages/problem.ts'
import { restEndpoint } from './endpoints/rest/rest.ts'
import { databaseReady } from './http/health.ts'
import { createServer, shutDown } from './http/server.ts'
import { createPeople, type People } from './identity/people.ts'
import { advanceInstance } from './instances/advance-instance.ts'
import { endOfAccessDue } from './instances/end-access.ts'
import { monthCloseDue } from './invoices/month-close-due.ts'
import { advanceClock, runDue, type DueWork, type Step } from './jobs/schedule.ts'
import { drainTasks, startWorker, type TaskHandlers } from './jobs/work.ts'
import { createMailSender, sendMail } from './notices/send-mail.ts'
import { refundCollectedLate } from './orders/refund-unused.ts'
import { vetOrder } from './orders/vet-order.ts'
import { applyEvent } from './payments/accept-event.ts'
import { finishAttempt } from './payments/collect.ts'
import { collectionDue } from './payments/collection-due.ts'
import type { Processor } from './payments/processor.ts'
import { refundPayment } from './payments/refund-payment.ts'
import { createStripeProcessor } from './payments/stripe-processor.ts'
import { loadConfiguredRateCard } from './products/load-rate-card.ts'
import { createSandbox, type Sandbox } from './sandbox/serve-sandbox.ts'
import { payoutDue, sendPayout } from './settlement/pay-out.ts'
import { settlementDue } from './settlement/settle.ts'

/** Where the sandbox's card page is served beside the service's own pages. */
const sandboxPagesPath = '/sandbox'

/** Everything but the wires. */
export interface House {
  readonly config: Config
  readonly database: Database
  readonly processor: Processor
  /** Where the payment sandbox listens; undefined when Stripe itself is the processor. */
  readonly sandboxUrl: string | undefined
  /** Work that falls due, in the order in which what is due at one instant happens. */
  readonly due: readonly DueWork[]
  /** Lets every task that can run now run, wherever. */
  drain(): Promise<void>
  /** Moves the manual clock; see `advanceClock`. */
  advance(to: Date, report?: (step: Step) => void): Promise<void>
  close(): Promise<void>
}

interface Parts extends House {
  readonly handlers: TaskHandlers
  readonly sandbox: Sandbox | undefined
  readonly taskPool: ReturnType<typeof createTaskPool>
}

/** Opens a house for an operator command: beside a running service, or alone. */
export async function openHouse(config: Config, log: Log): Promise<House> {
  const record = config.databaseUrl === undefined ? readServiceRecord(config.dataFolder) : undefined
  const publicUrl = config.publicUrl ?? record?.publicUrl
  return await build({ ...config, publicUrl }, log, { exclusive: false })
}

async function build(config: Config, log: Log, options: OpenOptions): Promise<Parts> {
  const opened = await openDatabase(config, log, options)
  try {
    return await furnish(opened, config, log, options)
  } catch (error) {
    // A database that was started would keep the process, and the data folder, for ever.
    await opened.close()
    throw error
  }
}

async function furnish(opened: OpenedDatabase, config: Config, log: Log, options: OpenOptions): Promise<Parts> {
  const { database } = opened
  await database.transaction(loadConfiguredRateCard)
  const taskPool = createTaskPool(opened.address, log)
  // A command's own sandbox must not want the port of the service it runs beside.
  const sandboxPort = options.exclusive === false ? 0 : config.sandboxPort
  const sandbox =
    config.stripeSecretKey === undefined
      ? createSandbox({
          database,
          log,
          webhookUrl: () => `${localUrl(config)}/hooks/stripe`,
          // Buyers reach the card page on the service's own address; only the API has a port of its own.
          pagesUrl: () => `${publicUrlOf(config)}${sandboxPagesPath}`,
        })
      : undefined
  const sandboxUrl = (await sandbox?.listen(sandboxPort))?.url
  const processor = createStripeProcessor(
    sandbox === undefined || sandboxUrl === undefined
      ? { secretKey: config.stripeSecretKey ?? '', webhookSecret: config.stripeWebhookSecret ?? '' }
      : { secretKey: sandbox.secretKey, webhookSecret: sandbox.webhookSecret, url: sandboxUrl },
  )
  const mailSender = createMailSender(config, log)
  const handlers: TaskHandlers = {
    'mail.send': ({ mailId }) => sendMail(database, mailSender, mailId),
    'instance.advance': async (task) => void (await advanceInstance(database, localDriver, task)),
    'order.vet': async (task) => void (await vetOrder(database, processor, task)),
    'invoice.collect': async (task) => void (await finishAttempt(database, processor, task)),
    'subscription.refund': (task) => refundCollectedLate(database, task),
    'refund.pay': (task) => refundPayment(database, processor, task),
    'payout.send': (task) => sendPayout(database, processor, task),
    'processor.event': (task) => applyEvent(database, processor, task),
  }
  const due = [
    endOfAccessDue(database),
    monthCloseDue(database),
    collectionDue(database),
    settlementDue(database),
    payoutDue(database),
  ]
  const drain = async (): Promise<void> => {
    const { waiting } = await drainTasks(taskPool, handlers, log)
    if (waiting > 0) log.warn({ waiting }, 'tasks failed and wait for their next try')
  }
  return {
    config,
    database,
    processor,
    sandboxUrl,
    due,
    handlers,
    sandbox,
    taskPool,
    drain,
    advance: (to, report) => advanceClock(database, due, to, drain, report),
    async close() {
      await sandbox?.close()
      await endPool(taskPool)
      await opened.close()
    },
  }
}

/** A running service. */
export interface Service extends House {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string
  readonly people: People
  readonly server: FastifyInstance
}

/** How often the system clock's due work is looked for. */
const tickMs = 1000

/**
 * Starts the service and resolves once it answers.
 *
 * @param onLost called when the embedded database is gone for good
 */
export async function startService(given: Config, log: Log, onLost?: (reason: Error) => void): Promise<Service> {
  const port = given.port === 0 ? await freePort(given.host) : given.port
  const config = { ...given, port, publicUrl: publicUrlOf({ ...given, port }) }
  const house = await build(config, log, { exclusive: true, ...(onLost && { onLost }) })
  const people = createPeople(house.database)
  const metrics = createMetrics()
  const server = createServer({
    log,
    metrics,
    trustProxy: config.trustProxy,
    ready: () => databaseReady(house.database.pool),
    drawProblem,
  })
  await server.register(awsEndpoint({ database: house.database }))
  if (house.sandbox !== undefined) await server.register(house.sandbox.pages, { prefix: sandboxPagesPath })
  await server.register(hooksEndpoint(house))
  await server.register(metricsEndpoint(house, metrics))
  await server.register(restEndpoint({ ...house, people }))
  await server.register(pagesEndpoint({ ...house, people }))

  // Before anything works on the database: a port that is taken must leave nothing behind.
  await listen(server, config).catch(async (error: unknown) => {
    await server.close()
    await people.close()
    await house.close()
    throw error
  })
  if (config.databaseUrl === undefined) writeServiceRecord(config.dataFolder, { publicUrl: config.publicUrl })
  const worker = await startWorker(house.taskPool, house.handlers, log)
  const stopTicking = tick(house, log)
  const url = localUrl(config)
  log.info({ url, publicUrl: config.publicUrl, clock: house.database.clock.kind }, 'Turnpike is ready')
  return {
    ...house,
    config,
    url,
    people,
    server,
    async close() {
      await shutDown(server)
      await stopTicking()
      await worker.stop()
      await people.close()
      await house.close()
    },
  }
}

/** @throws Fault InvalidConfiguration when the address is taken, not ours, or not for this user */
async function listen(server: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!/^E[A-Z]+$/.test(code)) throw error
    throw new Fault(
      'InvalidConfiguration',
      `The service cannot listen on ${host} port ${port} (${code}). Stop what listens there, or choose another address with --host and --port (TURNPIKE_HOST, TURNPIKE_PORT).`,
    )
  }
}

/** Looks for due work and undelivered webhooks every second; a look that takes longer delays the next. */
function tick(house: Parts, log: Log): () => Promise<void> {
  let stopped = false
  let timer: NodeJS.Timeout
  let running: Promise<void> = Promise.resolve()
  const look = async (): Promise<void> => {
    try {
      await runDue(house.database, house.due)
      await house.sandbox?.deliverWebhooks()
    } catch (error) {
      log.error({ err: error }, 'due work failed; it stays due')
    }
  }
  const next = (): void => {
    if (stopped) return
    timer = setTimeout(() => {
      running = look().then(next)
    }, tickMs)
  }
  next()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}

/** Where this machine reaches the service, whatever address buyers use. */
function localUrl({ host, port }: Config): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return httpUrl(reachable, port)
}

/** A port nobody listens on; the public address is needed before the server can listen on it. */
async function freePort(host: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createNetServer()
    probe.once('error', reject)
    probe.listen(0, host, () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
