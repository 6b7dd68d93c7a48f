/** The answer to a request whose card was declined: 402 with Stripe's envelope; what it wrote stays written. */
import { Answer, type ErrorBody } from './sandbox.ts'
import type { Decline } from './test-cards.ts'

/** A decline as objects and answers show it. */
export function declineFields(decline: Decline): Omit<ErrorBody, 'type'> & { type: 'card_error' } {
  return {
    code: decline.code,
    ...(decline.declineCode !== undefined && { decline_code: decline.declineCode }),
    message: decline.message,
    ...(decline.param !== undefined && { param: decline.param }),
    type: 'card_error',
  }
}

export function declineAnswer(
  decline: Decline,
  about: Pick<ErrorBody, 'charge' | 'payment_intent' | 'payment_method' | 'setup_intent'>,
): Answer {
  return new Answer(402, { error: { ...declineFields(decline), ...about } })
}
