/** Stripe's published test cards: their numbers, the ids that stand for them, and how they behave. */
import { Refusal } from './sandbox.ts'

export interface Decline {
  readonly code: string
  readonly declineCode?: string
  readonly message: string
  readonly param?: string
}

const declined = 'Your card was declined.'

const declines = {
  generic_decline: { code: 'card_declined', declineCode: 'generic_decline', message: declined },
  insufficient_funds: {
    code: 'card_declined',
    declineCode: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
  },
  lost_card: { code: 'card_declined', declineCode: 'lost_card', message: declined },
  stolen_card: { code: 'card_declined', declineCode: 'stolen_card', message: declined },
  card_velocity_exceeded: {
    code: 'card_declined',
    declineCode: 'card_velocity_exceeded',
    message:
      'Your card was declined for making repeated attempts too frequently or exceeding its amount limit. Please contact your card issuer for more information.',
  },
  expired_card: { code: 'expired_card', message: 'Your card has expired.', param: 'exp_month' },
  incorrect_cvc: { code: 'incorrect_cvc', message: 'Your card’s security code is incorrect.', param: 'cvc' },
  processing_error: {
    code: 'processing_error',
    message: 'An error occurred while processing your card. Try again in a little bit.',
  },
  test_mode_live_card: {
    code: 'card_declined',
    declineCode: 'test_mode_live_card',
    message:
      'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
  },
} as const satisfies Record<string, Decline>

type DeclineName = keyof typeof declines
/** `charge_declines`: can be saved, and every charge of it is declined. */
export type Behaviour = 'succeeds' | 'charge_declines' | DeclineName

export interface TestCard {
  readonly number: string
  readonly brand: 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay'
  readonly funding: 'credit' | 'debit' | 'prepaid'
  readonly behaviour: Behaviour
  /** The ids Stripe publishes for this card. */
  readonly ids: readonly string[]
  readonly about: string
}

const row = (
  number: string,
  brand: TestCard['brand'],
  about: string,
  ids: readonly string[],
  behaviour: Behaviour = 'succeeds',
  funding: TestCard['funding'] = 'credit',
): TestCard => ({ number, brand, funding, behaviour, ids, about })

export const testCards: readonly TestCard[] = [
  row('4242424242424242', 'visa', 'Visa, succeeds', ['pm_card_visa']),
  row('5555555555554444', 'mastercard', 'Mastercard, succeeds', ['pm_card_mastercard']),
  row('378282246310005', 'amex', 'American Express, succeeds', ['pm_card_amex']),
  row('4000056655665556', 'visa', 'Visa debit, succeeds', ['pm_card_visa_debit'], 'succeeds', 'debit'),
  row('2223003122003222', 'mastercard', 'Mastercard 2-series, succeeds', []),
  row(
    '5200828282828210',
    'mastercard',
    'Mastercard debit, succeeds',
    ['pm_card_mastercard_debit'],
    'succeeds',
    'debit',
  ),
  row(
    '5105105105105100',
    'mastercard',
    'Mastercard prepaid, succeeds',
    ['pm_card_mastercard_prepaid'],
    'succeeds',
    'prepaid',
  ),
  row('371449635398431', 'amex', 'American Express, succeeds', []),
  row('6011111111111117', 'discover', 'Discover, succeeds', ['pm_card_discover']),
  row('3056930009020004', 'diners', 'Diners Club, succeeds', ['pm_card_diners']),
  row('3566002020360505', 'jcb', 'JCB, succeeds', ['pm_card_jcb']),
  row('6200000000000005', 'unionpay', 'UnionPay, succeeds', ['pm_card_unionpay']),
  row(
    '4000000000000341',
    'visa',
    'Can be saved, every charge is declined',
    ['pm_card_chargeCustomerFail'],
    'charge_declines',
  ),
  row(
    '4000000000000002',
    'visa',
    'Declined',
    ['pm_card_chargeDeclined', 'pm_card_visa_chargeDeclined'],
    'generic_decline',
  ),
  row(
    '4000000000009995',
    'visa',
    'Declined: insufficient funds',
    ['pm_card_chargeDeclinedInsufficientFunds', 'pm_card_visa_chargeDeclinedInsufficientFunds'],
    'insufficient_funds',
  ),
  row('4000000000009987', 'visa', 'Declined: lost card', ['pm_card_visa_chargeDeclinedLostCard'], 'lost_card'),
  row('4000000000009979', 'visa', 'Declined: stolen card', ['pm_card_visa_chargeDeclinedStolenCard'], 'stolen_card'),
  row('4000000000000069', 'visa', 'Declined: expired card', ['pm_card_chargeDeclinedExpiredCard'], 'expired_card'),
  row(
    '4000000000000127',
    'visa',
    'Declined: incorrect security code',
    ['pm_card_chargeDeclinedIncorrectCvc'],
    'incorrect_cvc',
  ),
  row(
    '4000000000000119',
    'visa',
    'Declined: processing error',
    ['pm_card_chargeDeclinedProcessingError'],
    'processing_error',
  ),
  row(
    '4000000000006975',
    'visa',
    'Declined: exceeding velocity limit',
    ['pm_card_visa_chargeDeclinedVelocityLimitExceeded'],
    'card_velocity_exceeded',
  ),
]

const byNumber = new Map(testCards.map((card) => [card.number, card]))
const byId = new Map(testCards.flatMap((card) => card.ids.map((id) => [id, card])))

export function testCardOfId(id: string): TestCard | undefined {
  return byId.get(id)
}

/** Why a card cannot be saved; undefined when it can. */
export function setupDecline(behaviour: Behaviour): Decline | undefined {
  return behaviour === 'succeeds' || behaviour === 'charge_declines' ? undefined : declines[behaviour]
}

/**
 * Why a charge of a card is declined; undefined when it is not.
 *
 * @param card the month and year printed on the card, which it is good to the end of
 */
export function chargeDecline(
  behaviour: Behaviour,
  card: { exp_month: number; exp_year: number },
  now: Date,
): Decline | undefined {
  if (behaviour === 'charge_declines') return declines.generic_decline
  if (behaviour !== 'succeeds') return declines[behaviour]
  return hasExpired(card.exp_year, card.exp_month, now) ? declines.expired_card : undefined
}

export interface EnteredCard {
  /** Digits, spaces and dashes as people type them. */
  readonly number: string
  readonly expMonth: number
  /** Two or four digits. */
  readonly expYear: number
  readonly cvc: string | undefined
}

/** What is kept of an entered card. */
export interface CheckedCard {
  readonly brand: TestCard['brand']
  readonly funding: TestCard['funding']
  readonly behaviour: Behaviour
  readonly digits: string
  readonly expMonth: number
  readonly expYear: number
  readonly cvcGiven: boolean
}

/**
 * Checks what a person typed: Luhn, expiry and security code. A good number that is no published test card is taken
 * and declined, as Stripe's test mode does.
 *
 * @throws Refusal 402 card_error: invalid_number, incorrect_number, invalid_expiry_month, invalid_expiry_year, invalid_cvc
 */
export function checkCard(card: EnteredCard, now: Date): CheckedCard {
  const digits = card.number.replace(/[ -]/g, '')
  if (!/^\d{12,19}$/.test(digits))
    throw cardRefusal('invalid_number', 'The card number is not a valid credit card number.', 'number')
  if (!passesLuhn(digits)) throw cardRefusal('incorrect_number', 'Your card number is incorrect.', 'number')
  if (card.expMonth < 1 || card.expMonth > 12)
    throw cardRefusal('invalid_expiry_month', 'Your card’s expiration month is invalid.', 'exp_month')
  const expYear = card.expYear < 100 ? 2000 + card.expYear : card.expYear
  if (expYear < now.getUTCFullYear() || expYear > now.getUTCFullYear() + 50)
    throw cardRefusal('invalid_expiry_year', 'Your card’s expiration year is invalid.', 'exp_year')
  if (hasExpired(expYear, card.expMonth, now))
    throw cardRefusal('invalid_expiry_month', 'Your card’s expiration month is invalid.', 'exp_month')
  const known = byNumber.get(digits)
  const brand = known?.brand ?? brandOf(digits)
  const cvcDigits = brand === 'amex' ? /^\d{3,4}$/ : /^\d{3}$/
  if (card.cvc !== undefined && !cvcDigits.test(card.cvc))
    throw cardRefusal('invalid_cvc', 'Your card’s security code is invalid.', 'cvc')
  const behaviour = known?.behaviour ?? 'test_mode_live_card'
  const funding = known?.funding ?? 'credit'
  return { brand, funding, behaviour, digits, expMonth: card.expMonth, expYear, cvcGiven: card.cvc !== undefined }
}

function cardRefusal(code: string, message: string, param: string): Refusal {
  return new Refusal(402, { type: 'card_error', code, message, param })
}

function hasExpired(expYear: number, expMonth: number, now: Date): boolean {
  return Date.UTC(expYear, expMonth, 1) <= now.getTime()
}

/** The check digit rule of ISO/IEC 7812. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

function brandOf(digits: string): TestCard['brand'] {
  if (/^3[47]/.test(digits)) return 'amex'
  if (/^(5[1-5]|2[2-7])/.test(digits)) return 'mastercard'
  if (/^(6011|64[4-9]|65)/.test(digits)) return 'discover'
  if (/^3(0[0-5]|[689])/.test(digits)) return 'diners'
  if (digits.startsWith('35')) return 'jcb'
  return digits.startsWith('62') ? 'unionpay' : 'visa'
}
