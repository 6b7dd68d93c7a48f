/** What a service of the AWS wires (EC2, STS) gives the dispatcher, which knows none of their actions. */
import type { Caller } from '../../accounts/accounts.ts'
import type { AwsError } from '../../aws/aws-error.ts'
import type { Parameters } from '../../aws/read-parameters.ts'
import type { Transaction } from '../../database/database.ts'

/** Who asks, where, under which request. */
export interface CallContext {
  readonly caller: Caller
  readonly region: string
  readonly requestId: string
}

/** A request that was read and found to be of the right form; nothing has happened yet. */
export interface Call {
  /** Whether it may write; a call that only reads runs on one read-only snapshot. */
  readonly changes: boolean
  /** Whether everything is to be undone and only the outcome told. */
  readonly dryRun: boolean
  /** Does it, and writes the whole answer: nothing that can fail is left for after the commit. */
  readonly run: (tx: Transaction, context: CallContext) => Promise<string>
}

export interface AwsService {
  /** @throws AwsError when the action, its version or its parameters are not right */
  readonly prepare: (action: string, version: string, parameters: Parameters) => Call
  readonly writeError: (error: AwsError, requestId: string, version: string) => string
}
