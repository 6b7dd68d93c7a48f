/** An action of EC2: its place in the model, what it makes of each parameter, and the one domain verb it calls. */
import type { Ec2Inputs, Ec2Outputs } from '../../aws/ec2-model.generated.ts'
import type { Transaction } from '../../database/database.ts'
import type { CallContext } from '../aws/service.ts'

export interface Ec2Context extends CallContext {
  /** The version of the API that was asked for, such as `2010-08-31`. */
  readonly apiVersion: string
  /** Digest of everything the request says, except who says it and when: two requests that are the same have the same. */
  readonly requestSha256: string
}

type Name = keyof Ec2Inputs & keyof Ec2Outputs

interface Action<Input, Output> {
  readonly name: Name
  readonly changes: boolean
  /**
   * Parameters that are done as asked, without list indices: `BlockDeviceMapping.Ebs.VolumeSize`. `DryRun` always is. A name stands
   * for everything under it, too.
   */
  readonly honoured: readonly string[]
  /** Parameters that are accepted and change nothing here, each with why that is harmless. All others are refused. */
  readonly ignored: Readonly<Record<string, string>>
  run(tx: Transaction, input: Input, context: Ec2Context): Promise<Output>
}

/** An action as the dispatcher sees it. */
export type ServedAction = Action<object, object | undefined>

/** Declares an action; its input and output have the types of its name. */
export function ec2Action<N extends Name>(
  action: Action<Ec2Inputs[N], Ec2Outputs[N] extends undefined ? undefined : Ec2Outputs[N]> & { readonly name: N },
): ServedAction {
  return action
}
