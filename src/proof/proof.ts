/** A proof: named invariants of the books, each a sentence that is true of every row or names the rows it is false of. */
import type { Sql, Transaction } from '../database/database.ts'

/** What breaks an invariant, as it is found. */
export type Violation = Readonly<Record<string, unknown>>

/** An invariant. */
export interface Check {
  readonly name: string
  /** What always holds, for people. */
  readonly statement: string
  /** What finds the violations: a query of which each row is one, or a search in code. */
  readonly search: Sql | ((tx: Transaction) => Sql | Promise<Found>)
}

/** The result of a search in code. */
export interface Found {
  readonly count: number
  /** The first few. */
  readonly violations: readonly Violation[]
}

export interface CheckResult {
  readonly name: string
  readonly statement: string
  readonly ok: boolean
  /** How often it is broken. */
  readonly count: number
  /** The first few. */
  readonly violations: readonly Violation[]
}

export interface Proof {
  readonly ok: boolean
  readonly checks: readonly CheckResult[]
}

/** Violations that are told of one invariant. */
export const violationsMax = 5
