/** A payment sandbox on a test database, and the Stripe SDK connected to it. */
import Stripe from 'stripe'
import { createSandbox, type Sandbox } from '../src/sandbox/serve-sandbox.ts'
import { apiVersion } from '../src/sandbox/sandbox.ts'
import { testDatabase, type TestDatabase } from './database.ts'

export interface TestSandbox {
  readonly house: TestDatabase
  readonly sandbox: Sandbox
  readonly url: string
  readonly stripe: Stripe
  /** The SDK connected to another address, or with another key. */
  connect(url: string, secretKey?: string): Stripe
  /** A customer with a saved card, named by one of Stripe's test ids. */
  customerWithCard(id?: string): Promise<{ customer: string; payment_method: string }>
  close(): Promise<void>
}

export async function testSandbox(webhookUrl: () => string | undefined = () => undefined): Promise<TestSandbox> {
  const house = await testDatabase()
  const sandbox = createSandbox({ database: house.database, log: house.log, webhookUrl })
  const { url } = await sandbox.listen(0)
  const connect = (to: string, secretKey = sandbox.secretKey): Stripe => {
    const { hostname: host, port } = new URL(to)
    return new Stripe(secretKey, { apiVersion, protocol: 'http', host, port, telemetry: false, maxNetworkRetries: 5 })
  }
  const stripe = connect(url)
  return {
    house,
    sandbox,
    url,
    stripe,
    connect,
    async customerWithCard(id = 'pm_card_visa') {
      const customer = await stripe.customers.create({ email: 'buyer@example.com' })
      const method = await stripe.paymentMethods.attach(id, { customer: customer.id })
      return { customer: customer.id, payment_method: method.id }
    },
    async close() {
      await sandbox.close()
      await house.close()
    },
  }
}

/** What the SDK throws, as a value. */
export async function refusal(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await work
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error
    throw error
  }
  throw new Error('it was not refused')
}
