/**
 * Refuses to go on when something that must hold does not: a defect of ours, never of the caller's input
 * (bad input is a `Fault`).
 *
 * @throws Error naming the broken statement
 */
export function assert(condition: unknown, statement: string): asserts condition {
  if (!condition) throw new Error(`assertion broken: ${statement}`)
}

/** The value itself, once it is known not to be missing. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is present`)
  return value
}
