/** Stripe behind the processor port, by Stripe's own SDK; the built-in sandbox answers the same SDK at another address. */
import Stripe from 'stripe'
import { assert, present } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import type { Amount } from '../base/money.ts'
import type {
  Card,
  CardSetup,
  Charge,
  ChargeRequest,
  FoundCharge,
  Metadata,
  Processor,
  ProcessorEvent,
} from './processor.ts'

export interface StripeOptions {
  /** `sk_test_…` or `sk_live_…` */
  readonly secretKey: string
  /** `whsec_…` */
  readonly webhookSecret: string
  /** Where the sandbox listens; left out for Stripe itself. */
  readonly url?: string
  readonly timeoutMs?: number
  /** How often the SDK itself asks again when no answer came. */
  readonly retriesMax?: number
}

/** The version the SDK's types describe; pinned, so that Stripe's own upgrades change nothing here. */
const apiVersion = '2026-10-28.endive' satisfies Stripe.LatestApiVersion
/** The metadata by which a charge is found again when its answer was lost. */
const keyField = 'turnpike_key'
/** A buyer is charged a few times a month; this is decades of it. */
const chargesSearchedMax = 2000

export function createStripeProcessor(options: StripeOptions): Processor {
  const stripe = connect(options)
  return {
    createCustomer: (request) => guarded(() => createCustomer(stripe, request)),
    startCardSetup: (request) => guarded(() => startCardSetup(stripe, request)),
    finishCardSetup: (request) => guarded(() => finishCardSetup(stripe, request.sessionId)),
    validateCard: (request) => guarded(() => validateCard(stripe, request)),
    charge: (request) => guarded(() => charge(stripe, request)),
    findCharge: (request) => guarded(() => findCharge(stripe, request)),
    refund: (request) => guarded(() => refund(stripe, request)),
    createSellerAccount: (request) => guarded(() => createSellerAccount(stripe, request)),
    transferToSeller: (request) => guarded(() => transferToSeller(stripe, request)),
    readEvent: (rawBody, signatureHeader) => readEvent(stripe, rawBody, signatureHeader, options.webhookSecret),
  }
}

function connect(options: StripeOptions): Stripe {
  const address = options.url === undefined ? undefined : new URL(options.url)
  return new Stripe(options.secretKey, {
    apiVersion,
    maxNetworkRetries: options.retriesMax ?? 2,
    timeout: options.timeoutMs ?? 20_000,
    telemetry: false,
    ...(address !== undefined && {
      protocol: address.protocol === 'https:' ? 'https' : 'http',
      host: address.hostname,
      port: address.port,
    }),
  })
}

/**
 * Turns what the SDK throws into what the port promises. Only what says nothing about the outcome, or what the operator
 * can mend (a wrong key), is ProcessorUnavailable; a request Stripe calls malformed is a defect of ours.
 */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { errors } = Stripe
    if (
      error instanceof errors.StripeConnectionError ||
      error instanceof errors.StripeAPIError ||
      error instanceof errors.StripeRateLimitError ||
      error instanceof errors.StripeAuthenticationError ||
      error instanceof errors.StripePermissionError ||
      // Somebody else asks the same at this moment; the SDK has waited for them a few times.
      (error instanceof errors.StripeError && error.code === 'idempotency_key_in_use')
    )
      throw new Fault(
        'ProcessorUnavailable',
        'The payment processor gave no answer. Nothing is lost; this is tried again by itself.',
        { detail: error },
      )
    throw error
  }
}

type Request<Verb extends Exclude<keyof Processor, 'readEvent'>> = Parameters<Processor[Verb]>[0]

/** What may change between two tries stays out of the keyed request, or the second try would be refused as another. */
async function createCustomer(
  stripe: Stripe,
  { accountId, email, name }: Request<'createCustomer'>,
): Promise<{ customerId: string }> {
  const customer = await stripe.customers.create(
    { metadata: { account: accountId } },
    { idempotencyKey: `customer/${accountId}` },
  )
  await stripe.customers.update(customer.id, { email, name })
  return { customerId: customer.id }
}

async function startCardSetup(
  stripe: Stripe,
  request: { customerId: string; returnUrl: string; cancelUrl: string; reference: string },
): Promise<{ url: string; sessionId: string }> {
  const session = await stripe.checkout.sessions.create({
    mode: 'setup',
    customer: request.customerId,
    client_reference_id: request.reference,
    allowed_payment_method_types: ['card'],
    success_url: request.returnUrl,
    cancel_url: request.cancelUrl,
  })
  return { url: present(session.url, 'the address of an open session'), sessionId: session.id }
}

async function finishCardSetup(stripe: Stripe, sessionId: string): Promise<CardSetup> {
  const session = await stripe.checkout.sessions
    .retrieve(sessionId, { expand: ['setup_intent.payment_method'] })
    .catch((error: unknown) => {
      if (error instanceof Stripe.errors.StripeInvalidRequestError) return undefined
      throw error
    })
  if (session?.mode !== 'setup')
    return { state: 'failed', message: 'This card entry is not known. Start again to enter a card.' }
  if (session.status === 'open') return { state: 'open', message: 'The card was not entered yet.' }
  if (session.status === 'expired')
    return { state: 'expired', message: 'The card entry has expired. Start again to enter a card.' }
  const intent = session.setup_intent
  const method = typeof intent === 'object' ? intent?.payment_method : undefined
  const customerId = idOf(session.customer)
  const card = typeof method === 'object' && method !== null ? cardOf(method) : undefined
  if (card === undefined || customerId === undefined)
    return { state: 'failed', message: 'No card came of it that can be charged. Start again to enter another card.' }
  return { state: 'complete', customerId, card }
}

function cardOf(method: Stripe.PaymentMethod): Card | undefined {
  const { card } = method
  if (card === undefined) return undefined
  return {
    paymentMethodId: method.id,
    brand: card.brand,
    last4: card.last4,
    expMonth: card.exp_month,
    expYear: card.exp_year,
  }
}

async function validateCard(
  stripe: Stripe,
  request: Request<'validateCard'>,
): Promise<Awaited<ReturnType<Processor['validateCard']>>> {
  try {
    const intent = await stripe.setupIntents.create(
      {
        customer: request.customerId,
        payment_method: request.paymentMethodId,
        allowed_payment_method_types: ['card'],
        confirm: true,
        usage: 'off_session',
      },
      { idempotencyKey: request.idempotencyKey },
    )
    if (intent.status === 'succeeded') return { state: 'valid' }
    return {
      state: 'failed',
      code: 'authentication_required',
      message: 'The bank wants the card’s owner to confirm. Enter the card again, or another one.',
    }
  } catch (error) {
    return { state: 'failed', ...refusalOf(error) }
  }
}

async function charge(stripe: Stripe, request: ChargeRequest): Promise<Charge> {
  try {
    const intent = await stripe.paymentIntents.create(
      {
        amount: minorOf(request.amount),
        currency: request.amount.currency.toLowerCase(),
        customer: request.customerId,
        payment_method: request.paymentMethodId,
        allowed_payment_method_types: ['card'],
        confirm: true,
        off_session: true,
        description: request.description,
        metadata: { ...request.metadata, [keyField]: request.idempotencyKey },
      },
      { idempotencyKey: request.idempotencyKey },
    )
    return chargeOf(intent)
  } catch (error) {
    const refusal = refusalOf(error)
    const paymentId = (error as Stripe.errors.StripeError).payment_intent?.id
    return { state: 'failed', ...(paymentId !== undefined && { paymentId }), ...refusal }
  }
}

/** What a payment intent that was confirmed off session says of its charge. */
function chargeOf(intent: Stripe.PaymentIntent): Charge {
  const paymentId = intent.id
  if (intent.status === 'succeeded') return { state: 'succeeded', paymentId }
  if (intent.status === 'processing') return { state: 'processing', paymentId }
  const error = intent.last_payment_error
  return {
    state: 'failed',
    paymentId,
    code: error?.decline_code ?? error?.code ?? (intent.status === 'canceled' ? 'canceled' : 'authentication_required'),
    message: error?.message ?? 'The charge was not completed.',
  }
}

/** Codes of requests that are wrong in themselves, whoever's card it is. */
const defectCodes = /^parameter_|^idempotency_|^url_invalid$/

/**
 * What a refused card or request means to the buyer.
 *
 * @throws the error itself when it is no refusal of this card
 */
function refusalOf(error: unknown): { code: string; message: string } {
  const { StripeCardError, StripeInvalidRequestError } = Stripe.errors
  // The SDK writes an absent decline code as an empty text.
  if (error instanceof StripeCardError)
    return { code: error.decline_code || error.code || 'card_declined', message: error.message }
  // The card or customer is gone, or the amount is not one that can be charged: nothing was taken and nothing will be.
  if (error instanceof StripeInvalidRequestError && !defectCodes.test(error.code ?? ''))
    return { code: error.code ?? 'invalid_request', message: error.message }
  throw error
}

/** Asks by list, which is up to date at once; Stripe's search may be a minute behind. */
async function findCharge(
  stripe: Stripe,
  request: { customerId: string; idempotencyKey: string },
): Promise<FoundCharge> {
  let seen = 0
  for await (const intent of stripe.paymentIntents.list({ customer: request.customerId, limit: 100 })) {
    if (intent.metadata[keyField] === request.idempotencyKey) return chargeOf(intent)
    seen += 1
    assert(seen < chargesSearchedMax, `customer ${request.customerId} has fewer than ${chargesSearchedMax} charges`)
  }
  return { state: 'absent' }
}

/** A refund may be asked for again days later, when Stripe has forgotten its key: what it holds is looked at first. */
async function refund(stripe: Stripe, request: Request<'refund'>): Promise<Awaited<ReturnType<Processor['refund']>>> {
  try {
    const made =
      (await findRefund(stripe, request)) ??
      (await stripe.refunds.create(
        {
          payment_intent: request.paymentId,
          amount: minorOf(request.amount),
          metadata: { ...request.metadata, [keyField]: request.idempotencyKey },
        },
        { idempotencyKey: request.idempotencyKey },
      ))
    if (made.status === 'failed' || made.status === 'canceled')
      return { state: 'failed', refundId: made.id, message: made.failure_reason ?? 'The bank refused the refund.' }
    // A pending refund is on its way: Stripe owes it to the buyer from here on.
    return { state: 'succeeded', refundId: made.id }
  } catch (error) {
    return { state: 'failed', message: refusalOf(error).message }
  }
}

async function findRefund(stripe: Stripe, request: Request<'refund'>): Promise<Stripe.Refund | undefined> {
  for await (const made of stripe.refunds.list({ payment_intent: request.paymentId, limit: 100 })) {
    if (made.metadata?.[keyField] === request.idempotencyKey) return made
  }
  return undefined
}

async function createSellerAccount(
  stripe: Stripe,
  { sellerAccountId, email, country = 'US' }: Request<'createSellerAccount'>,
): Promise<{ processorAccountId: string }> {
  const account = await stripe.accounts.create(
    {
      country,
      capabilities: { transfers: { requested: true } },
      controller: {
        fees: { payer: 'application' },
        losses: { payments: 'application' },
        stripe_dashboard: { type: 'express' },
      },
      metadata: { seller: sellerAccountId },
    },
    { idempotencyKey: `seller/${sellerAccountId}/${country}` },
  )
  await stripe.accounts.update(account.id, { email })
  return { processorAccountId: account.id }
}

/** As with refunds: a transfer already made under this key, which Stripe may have forgotten, is the answer. */
async function transferToSeller(stripe: Stripe, request: Request<'transferToSeller'>): Promise<{ transferId: string }> {
  try {
    const group = { destination: request.processorAccountId, transfer_group: request.idempotencyKey }
    const [before] = (await stripe.transfers.list({ ...group, limit: 1 })).data
    if (before !== undefined) return { transferId: before.id }
    const transfer = await stripe.transfers.create(
      {
        amount: minorOf(request.amount),
        currency: request.amount.currency.toLowerCase(),
        ...group,
        metadata: { ...request.metadata },
      },
      { idempotencyKey: request.idempotencyKey },
    )
    return { transferId: transfer.id }
  } catch (error) {
    throw new Fault('PaymentRefused', `The processor refused the transfer: ${refusalOf(error).message}`, {
      detail: error,
    })
  }
}

function readEvent(stripe: Stripe, rawBody: Buffer, signatureHeader: string, secret: string): ProcessorEvent {
  let event: Stripe.Event
  try {
    event = stripe.webhooks.constructEvent(rawBody, signatureHeader, secret)
  } catch (error) {
    throw new Fault('Unauthenticated', 'The signature of the event is missing, wrong or too old.', { detail: error })
  }
  const found = event as { readonly id?: unknown; readonly type?: unknown } | null
  if (typeof found?.id !== 'string' || typeof found.type !== 'string') {
    throw new Fault('InvalidParameter', 'The body is signed and is no event: an event has an id and a type.')
  }
  const base = { eventId: event.id, type: event.type }
  switch (event.type) {
    case 'payment_intent.succeeded':
      return { ...base, kind: 'payment_succeeded', ...paymentOf(event.data.object) }
    case 'payment_intent.payment_failed':
    case 'payment_intent.canceled': {
      const outcome = chargeOf(event.data.object)
      assert(outcome.state === 'failed', 'the payment of a failure event has failed')
      const { code, message } = outcome
      return { ...base, kind: 'payment_failed', ...paymentOf(event.data.object), code, message }
    }
    case 'checkout.session.completed': {
      const session = event.data.object
      const customerId = idOf(session.customer)
      if (session.mode !== 'setup' || customerId === undefined) return { ...base, kind: 'other' }
      const reference = session.client_reference_id ?? ''
      return { ...base, kind: 'card_setup_completed', sessionId: session.id, customerId, reference }
    }
    default:
      return { ...base, kind: 'other' }
  }
}

function paymentOf(intent: Stripe.PaymentIntent): {
  paymentId: string
  idempotencyKey: string | undefined
  metadata: Metadata
} {
  return { paymentId: intent.id, idempotencyKey: intent.metadata[keyField], metadata: intent.metadata }
}

function idOf(reference: string | { id: string } | null): string | undefined {
  return typeof reference === 'string' ? reference : reference?.id
}

/** Stripe's amounts are JSON numbers; ours fit exactly or are refused. */
function minorOf(amount: Amount): number {
  assert(amount.minor > 0n && amount.minor <= BigInt(Number.MAX_SAFE_INTEGER), 'the amount is positive and exact')
  return Number(amount.minor)
}
