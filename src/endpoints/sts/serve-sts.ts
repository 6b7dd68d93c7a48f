/** STS, of which clients need one action: who am I. */
import { AwsError, writeQueryError } from '../../aws/aws-error.ts'
import { escapeXml } from '../../aws/write-xml.ts'
import type { AwsService, CallContext } from '../aws/service.ts'

export const stsVersion = '2011-06-15'
const namespace = `https://sts.amazonaws.com/doc/${stsVersion}/`

export const stsService: AwsService = {
  writeError: (error, requestId) => writeQueryError(error, requestId, namespace),
  prepare(action, version) {
    if (version !== stsVersion) {
      throw new AwsError(
        'NoSuchVersion',
        `The requested version of service AWSSecurityTokenService is not ${stsVersion}.`,
      )
    }
    if (action !== 'GetCallerIdentity') {
      throw new AwsError('InvalidAction', `Of STS only GetCallerIdentity is served; ${action.slice(0, 100)} is not.`)
    }
    return { changes: false, dryRun: false, run: async (_tx, context) => writeCallerIdentity(context) }
  },
}

/** Access keys belong to accounts, so the caller is the account's root, as IAM calls it. */
function writeCallerIdentity({ caller: { accountId }, requestId }: CallContext): string {
  const id = escapeXml(accountId)
  return (
    `<GetCallerIdentityResponse xmlns="${namespace}"><GetCallerIdentityResult>` +
    `<Arn>arn:aws:iam::${id}:root</Arn><UserId>${id}</UserId><Account>${id}</Account></GetCallerIdentityResult>` +
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
  )
}
