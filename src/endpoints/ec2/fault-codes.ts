/** What a domain's refusal is called on the wires of AWS: one table for every action. */
import { AwsError } from '../../aws/aws-error.ts'
import { Fault, type FaultCode } from '../../base/fault.ts'

/** The code of EC2 nearest to each of ours. A fault may name a nearer one itself, as `data.ec2Code`. */
const ec2Codes: Readonly<Record<FaultCode, string>> = {
  InvalidAmount: 'InvalidParameterValue',
  InvalidParameter: 'InvalidParameterValue',
  MissingParameter: 'MissingParameter',
  UnknownParameter: 'UnknownParameter',
  InvalidConfiguration: 'InternalError',
  Unauthenticated: 'AuthFailure',
  Forbidden: 'UnauthorizedOperation',
  NotFound: 'InvalidParameterValue',
  Conflict: 'IncorrectState',
  IncorrectState: 'IncorrectInstanceState',
  IdempotencyMismatch: 'IdempotentParameterMismatch',
  NotSubscribed: 'OptInRequired',
  SubscriptionSuspended: 'OptInRequired',
  NoLaunchPermission: 'AuthFailure',
  OutsideConfiguration: 'Unsupported',
  // EC2 documents no code for a second product code; this one says that the operation is never allowed.
  ProductCodeAlreadySet: 'OperationNotPermitted',
  ImageNotFound: 'InvalidAMIID.NotFound',
  ImageUnavailable: 'InvalidAMIID.Unavailable',
  InstanceNotFound: 'InvalidInstanceID.NotFound',
  ProductNotFound: 'InvalidProductInfo',
  LimitExceeded: 'ResourceLimitExceeded',
  PaymentRefused: 'OptInRequired',
  DebtOutstanding: 'OptInRequired',
  ProcessorUnavailable: 'Unavailable',
  Unsupported: 'UnsupportedOperation',
  Internal: 'InternalError',
}

/** EC2 answers 400 to whatever is not here. */
const ec2Statuses: ReadonlyMap<string, number> = new Map([
  ['AuthFailure', 401],
  ['OptInRequired', 401],
  ['UnauthorizedOperation', 403],
  ['DryRunOperation', 412],
  ['InternalError', 500],
  ['Unavailable', 503],
  ['RequestLimitExceeded', 503],
])

/** Whatever was thrown, in the words of the AWS wires. Anything unforeseen is `InternalError`, without its message. */
export function awsErrorOf(thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown
  if (!(thrown instanceof Fault)) return new AwsError('InternalError', 'An internal error has occurred', 500)
  const code = thrown.data['ec2Code'] ?? ec2Codes[thrown.code]
  return new AwsError(code, thrown.message, ec2Statuses.get(code) ?? 400)
}
