/** A small processor in front of the real one that loses answers, decides late and refuses, as told. */
import { Fault } from '../src/base/fault.ts'
import type { Processor } from '../src/payments/processor.ts'

/**
 * What happens to one charge or refund: the answer is lost before or after it had its effect, it is decided but not told
 * until `decide`, or (a refund) refused.
 */
export type Mishap = 'lost before' | 'lost after' | 'undecided' | 'refused'

export interface FaultyProcessor extends Processor {
  /** What happens to the next charges and refunds, in order; nothing once it is empty. */
  readonly mishaps: Mishap[]
  /** Lets what was undecided be known to whoever asks. */
  decide(): void
  /** The idempotency keys of charges and refunds it was asked for, in order. */
  readonly asked: string[]
}

export function faultyProcessor(real: Processor): FaultyProcessor {
  const mishaps: Mishap[] = []
  const asked: string[] = []
  const undecided = new Set<string>()
  return {
    ...real,
    mishaps,
    asked,
    decide: () => undecided.clear(),
    async charge(request) {
      const mishap = begin(request.idempotencyKey)
      const charge = await real.charge(request)
      end(mishap)
      if (mishap === 'undecided') undecided.add(request.idempotencyKey)
      return undecided.has(request.idempotencyKey)
        ? { state: 'processing', paymentId: charge.paymentId ?? 'pi_undecided' }
        : charge
    },
    async findCharge(request) {
      const found = await real.findCharge(request)
      return undecided.has(request.idempotencyKey) && found.state !== 'absent'
        ? { state: 'processing', paymentId: found.paymentId ?? 'pi_undecided' }
        : found
    },
    async refund(request) {
      const mishap = begin(request.idempotencyKey)
      if (mishap === 'refused') return { state: 'failed', message: 'The bank refused the refund.' }
      const refund = await real.refund(request)
      end(mishap)
      return refund
    },
  }

  function begin(key: string): Mishap | undefined {
    asked.push(key)
    const mishap = mishaps.shift()
    if (mishap === 'lost before') throw lost()
    return mishap
  }

  function end(mishap: Mishap | undefined): void {
    if (mishap === 'lost after') throw lost()
  }
}

function lost(): Fault {
  return new Fault('ProcessorUnavailable', 'The payment processor gave no answer.')
}
