/**
 * The `local` driver: instances are their state machine and nothing runs. Every goal is reached as soon as it is asked for, so
 * what is left is exactly what can be seen and billed of an instance. For trials, and for a cloud whose machines are
 * metered elsewhere.
 */
import type { ComputeDriver } from './compute.ts'

export const localDriver: ComputeDriver = {
  name: 'local',
  advance: (_machine, goal) => Promise.resolve(goal),
}
