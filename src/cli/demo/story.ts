/**
 * The story: a product is registered and approved, put on an image, refused to a stranger, bought, launched, metered, billed,
 * collected (once only after a card was replaced), settled, paid out, proven. Every act goes over a public wire.
 */
import { randomBytes } from 'node:crypto'
import { createAccessKey } from '../../accounts/create-access-key.ts'
import { createPerson } from '../../identity/create-person.ts'
import type { Service } from '../../main.ts'
import { Buyer } from './buyer.ts'
import { Machines } from './machines.ts'
import type { Narrator } from './narrate.ts'
import { RestClient, type Credentials } from './rest-client.ts'

export interface Person extends Credentials {
  readonly email: string
  readonly password: string
  readonly accountId: string
}

interface Invoice {
  readonly kind: string
  readonly month: string
  readonly total: string
  readonly currency: string
  readonly state: string
}

interface Payout {
  readonly amount: string
  readonly currency: string
  readonly state: string
}

/** What `demo --json` prints. Amounts are decimal strings. */
export interface Summary {
  readonly productCode: string
  readonly purchaseUrl: string
  /** The error code EC2 answered. */
  readonly refusedBeforePurchase: string
  readonly instanceIds: readonly string[]
  readonly invoices: readonly (Invoice & { readonly accountId: string })[]
  /** The last one. */
  readonly payout: Payout
  /** All of them, oldest first. */
  readonly payouts: readonly Payout[]
  readonly proof: { readonly ok: boolean; readonly checks: number }
}

export interface StoryResult {
  readonly summary: Summary
  readonly buyer: Person
  readonly seller: Person
  readonly operator: Person
  readonly imageId: string
}

/** The product of the June example (spec §7). */
const product = {
  companyName: 'ABC Software',
  name: 'ABC AMI',
  description: 'A machine image with ABC, ready to run. Launch it, open port 80, and go.',
  redirectUrl: 'https://abc.example.com/welcome',
  terms: 'Use ABC as you like. Do not sell it on.',
  privateContactEmail: 'billing@abc.example.com',
  privateContactTelephone: '+1 206 555 0100',
  publicContact: 'https://abc.example.com/help',
  currency: 'USD',
  configuration: {
    regions: ['us-east-1'],
    environments: ['linux'],
    instanceTypes: ['m1.small', 'm1.large', 'm1.xlarge'],
  },
  price: {
    monthly: '20.00',
    rates: [
      { region: 'us-east-1', environment: 'linux', instanceType: 'm1.small', rate: '0.20' },
      { region: 'us-east-1', environment: 'linux', instanceType: 'm1.large', rate: '0.50' },
      { region: 'us-east-1', environment: 'linux', instanceType: 'm1.xlarge', rate: '0.90' },
    ],
  },
}

const cards = {
  good: { number: '4242424242424242', label: 'Visa 4242' },
  /** A test card that can be put on file, and declines when it is charged. */
  declines: { number: '4000000000000341', label: 'Visa 0341, which declines' },
}

export async function actStory(service: Service, tell: Narrator): Promise<StoryResult> {
  tell.step(`Turnpike is running on ${service.url}; its clock stands at ${(await now(service)).slice(0, 10)}`)
  const operator = await bootstrap(service, 'operator@example.com', 'Olivia Operator', true)
  const seller = await bootstrap(service, 'seller@example.com', 'Sam Seller', false)
  tell.say('The operator made two accounts at the machine: itself, and a seller.')
  const rest = { operator: new RestClient(service.url, operator), seller: new RestClient(service.url, seller) }

  const { productCode, purchaseUrl } = await sell(rest, seller, tell)
  const { imageId, sellerMachines } = await putOnImage(service, seller, productCode, tell)

  tell.step('A buyer makes an account, and is refused: nothing was bought yet')
  const anna = await Buyer.signUp(service, rest.operator, 'anna@example.com', 'Anna Able')
  const annaMachines = new Machines(service.url, anna.person)
  const refusedBeforePurchase = await annaMachines.refusal(imageId, 'm1.large')
  tell.say(`aws ec2 run-instances → ${refusedBeforePurchase.code}: ${refusedBeforePurchase.message}`)

  tell.step('The buyer opens the purchase URL, adds a card and places the order')
  const order = await anna.order(purchaseUrl, cards.good.number)
  tell.say(`${cards.good.label} on file; charged now: ${order.charged}; activation key ${order.activationKey}`)
  tell.say(`sent to ${order.sentTo}`)

  const instanceIds = await useInJune({
    service,
    tell,
    imageId,
    anna,
    annaMachines,
    purchaseUrl,
    rest,
    sellerMachines,
    productCode,
  })
  await billAndCollect({ service, tell, anna: instanceIds.anna, ben: instanceIds.ben })
  const payouts = await payTheSeller(service, tell, rest.seller)

  tell.step('Every invariant of the books is checked')
  const proof = await rest.operator.get<{ ok: boolean; checks: { ok: boolean }[] }>('/proof')
  tell.say(proof.ok ? `${proof.checks.length} invariants hold: the books are proven.` : 'An invariant is broken!')
  const invoices = [...(await invoicesOf(anna)), ...(await invoicesOf(instanceIds.ben))]
  return {
    summary: {
      productCode,
      purchaseUrl,
      refusedBeforePurchase: refusedBeforePurchase.code,
      instanceIds: instanceIds.ids,
      invoices,
      payout: last(payouts),
      payouts,
      proof: { ok: proof.ok, checks: proof.checks.length },
    },
    buyer: anna.person,
    seller,
    operator,
    imageId,
  }
}

async function now(service: Service): Promise<string> {
  return (await service.database.read((tx) => Promise.resolve(tx.now))).toISOString()
}

/** What `turnpike account create` does. */
async function bootstrap({ database }: Service, email: string, name: string, operator: boolean): Promise<Person> {
  const password = randomBytes(9).toString('base64url')
  const { account } = await createPerson(database, { email, name, password, operator })
  const key = await database.transaction((tx) => createAccessKey(tx, { accountId: account.accountId, actor: 'system' }))
  return { email, password, accountId: account.accountId, ...key }
}

interface RestClients {
  readonly operator: RestClient
  readonly seller: RestClient
}

async function sell(
  rest: RestClients,
  seller: Person,
  tell: Narrator,
): Promise<{ productCode: string; purchaseUrl: string }> {
  tell.step('The seller registers a product; the operator approves it')
  const registered = await rest.seller.post<{ product: { productCode: string }; purchaseUrl: string }>(
    '/products',
    product,
  )
  const { productCode } = registered.product
  tell.say(`${product.name}: $20.00 a month, $0.20 / $0.50 / $0.90 an hour; product code ${productCode}`)
  const quote = await rest.seller.post<{ rates: { instanceType: string; cloudRate: string; markup: string }[] }>(
    '/price-quotes',
    {
      configuration: product.configuration,
      price: product.price,
      currency: product.currency,
    },
  )
  const markups = quote.rates.map((rate) => `${rate.instanceType} ${rate.cloudRate} (+${rate.markup})`)
  tell.say(`the cloud’s own rates, with the markup: ${markups.join(', ')}`)
  await rest.operator.post(`/products/${productCode}/approve`)
  await rest.operator.post(`/sellers/${seller.accountId}/verify-bank-account`)
  tell.say(`approved, bank account verified; purchase URL ${registered.purchaseUrl}`)
  return { productCode, purchaseUrl: registered.purchaseUrl }
}

async function putOnImage(
  service: Service,
  seller: Person,
  productCode: string,
  tell: Narrator,
): Promise<{ imageId: string; sellerMachines: Machines }> {
  tell.step('The seller registers an image, puts the product code on it and shares it with everyone')
  const sellerMachines = new Machines(service.url, seller)
  const imageId = await sellerMachines.publishImage('abc-1.0', productCode)
  tell.say(`${imageId} carries ${productCode}`)
  return { imageId, sellerMachines }
}

interface June {
  readonly service: Service
  readonly tell: Narrator
  readonly imageId: string
  readonly anna: Buyer
  readonly annaMachines: Machines
  readonly purchaseUrl: string
  readonly rest: RestClients
  readonly sellerMachines: Machines
  readonly productCode: string
}

/** The use of the June example: Anna 3 large and 5 extra-large hours, Ben 8 small ones. */
async function useInJune(june: June): Promise<{ ids: string[]; anna: Buyer; ben: Buyer }> {
  const { service, tell, imageId, anna, annaMachines, productCode } = june
  tell.step('The same launch is accepted now; the machines run for some hours')
  const large = await annaMachines.launch(imageId, 'm1.large')
  const extraLarge = await annaMachines.launch(imageId, 'm1.xlarge')
  tell.say(`${large} (m1.large) and ${extraLarge} (m1.xlarge) are running`)
  const owner = await june.sellerMachines.confirm(large, productCode)
  tell.say(`the seller asks ConfirmProductInstance for ${large}: it runs the product, for account ${owner}`)
  await service.advance(new Date('2026-06-03T11:30:00Z'))
  await annaMachines.terminate(large)
  await service.advance(new Date('2026-06-03T13:30:00Z'))
  await annaMachines.terminate(extraLarge)
  tell.say('ended after 2.5 and 4.5 hours: 3 and 5 instance-hours, since partial hours are whole')

  tell.step('The next day a second buyer does the same, and later puts a card on file that will be declined')
  await service.advance(new Date('2026-06-04T09:00:00Z'))
  const ben = await Buyer.signUp(service, june.rest.operator, 'ben@example.com', 'Ben Baker')
  const order = await ben.order(june.purchaseUrl, cards.good.number)
  const benMachines = new Machines(service.url, ben.person)
  const small = await benMachines.launch(imageId, 'm1.small')
  await service.advance(new Date('2026-06-04T16:45:00Z'))
  await benMachines.terminate(small)
  await ben.changeCard(cards.declines.number)
  tell.say(`charged ${order.charged} at sign-up; 8 small instance-hours; now on file: ${cards.declines.label}`)

  await service.advance(new Date('2026-06-14T00:00:00Z'))
  for (const buyer of [anna, ben]) {
    const estimate = await buyer.rest.get<{ totals: { amount: string }[] }>('/estimate')
    tell.say(`month to date on 14 June, ${buyer.name}: $${estimate.totals[0]?.amount ?? '0.00'}`)
  }
  return { ids: [large, extraLarge, small], anna, ben }
}

async function billAndCollect({
  service,
  tell,
  anna,
  ben,
}: {
  service: Service
  tell: Narrator
  anna: Buyer
  ben: Buyer
}): Promise<void> {
  tell.step('June ends: use is billed with the month to come, and charged')
  await service.advance(new Date('2026-07-01T00:10:00Z'))
  for (const buyer of [anna, ben]) {
    const bill = (await invoicesOf(buyer)).find((invoice) => invoice.kind === 'monthly')
    tell.say(`${buyer.name}: $${bill?.total ?? '?'} for June’s use and July, ${bill?.state ?? '?'}`)
  }

  tell.step('The declined charge is tried again after 7 days, declined again; a new card heals it at once')
  await service.advance(new Date('2026-07-08T00:10:00Z'))
  const mails = await ben.mails()
  tell.say(`mails to ${ben.name}: ${mails.filter((subject) => subject.includes('failed')).join('; ')}`)
  await ben.changeCard(cards.good.number)
  await service.drain()
  const bill = (await invoicesOf(ben)).find((invoice) => invoice.kind === 'monthly')
  tell.say(`${cards.good.label} on file: the bill of $${bill?.total ?? '?'} is ${bill?.state ?? '?'}`)
}

async function payTheSeller(service: Service, tell: Narrator, seller: RestClient): Promise<Payout[]> {
  tell.step('Fees and the cloud’s cost are deducted, and what is left is paid out every Monday')
  await service.advance(new Date('2026-07-13T00:10:00Z'))
  const activity = await seller.get<{ totals: Record<string, string>[] }>('/seller/activity?month=2026-06')
  const june = activity.totals[0] ?? {}
  tell.say(
    `June: ${june['actualRevenue']} collected, less ${june['costCharged']} cloud cost, less ${june['percentageFees']} (3 % of the value-add of ${june['valueAdd']}),`,
  )
  tell.say(`less ${june['transactionFees']} (0.30 for each of 4 collected bills): ${june['net']} for the seller`)
  const { payouts } = await seller.get<{ payouts: Payout[] }>('/seller/payouts')
  const oldestFirst = payouts.map(({ amount, currency, state }) => ({ amount, currency, state })).toReversed()
  for (const { amount, currency, state } of oldestFirst) tell.say(`payout of ${amount} ${currency}: ${state}`)
  tell.say('(the payouts hold July’s advance charges too)')
  return oldestFirst
}

function last(payouts: readonly Payout[]): Payout {
  const payout = payouts.at(-1)
  if (payout === undefined) throw new Error('the seller was not paid')
  return payout
}

async function invoicesOf(buyer: Buyer): Promise<(Invoice & { accountId: string })[]> {
  const { invoices } = await buyer.rest.get<{ invoices: Invoice[] }>('/invoices')
  return invoices.toReversed().map(({ kind, month, total, currency, state }) => ({
    accountId: buyer.person.accountId,
    kind,
    month,
    total,
    currency,
    state,
  }))
}
