/**
 * The one address of the AWS wires: `POST /`, and `GET /` with an action in its query. Verifies who asks, finds the
 * service by action and version, does the call in one transaction, and answers in the service's form.
 *
 * The answer is written before the transaction commits: after a launch is durable there is nothing left that could turn
 * it into an error, which a client without a token would answer by launching again.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../../accounts/accounts.ts'
import { findAccessKey } from '../../accounts/find-access-key.ts'
import { AwsError } from '../../aws/aws-error.ts'
import { splitUrl } from '../../aws/canonical.ts'
import { readForm, readQueryString, type Parameters } from '../../aws/read-parameters.ts'
import type { SignedRequest, Verified } from '../../aws/signature.ts'
import { verifySignature } from '../../aws/verify-signature.ts'
import { Fault } from '../../base/fault.ts'
import type { Database, Transaction } from '../../database/database.ts'
import { awsRoutes } from '../../http/route-kind.ts'
import { cloudCatalog } from '../../products/find-rate-card.ts'
import { ec2Service } from '../ec2/serve-ec2.ts'
import { awsErrorOf } from '../ec2/fault-codes.ts'
import { stsService, stsVersion } from '../sts/serve-sts.ts'
import { addQueryConstraint } from './query-constraint.ts'
import type { AwsService } from './service.ts'

/** The plugin that serves EC2 and STS at `/`. */
export function awsEndpoint(options: { database: Database }): (server: FastifyInstance) => Promise<void> {
  return async (server) => {
    addQueryConstraint(server)
    await server.register(async (scope) => {
      awsRoutes(scope)
      const handle = (request: FastifyRequest, reply: FastifyReply) => answer(options.database, request, reply)
      scope.post('/', handle)
      // Without an action this address is the home page of people.
      scope.get('/', { constraints: { awsQuery: 'yes' } }, handle)
    })
  }
}

async function answer(database: Database, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const signed: SignedRequest = {
    method: request.method,
    url: request.raw.url ?? '/',
    rawHeaders: request.raw.rawHeaders,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  }
  reply.type('text/xml;charset=UTF-8')
  try {
    return await reply.send(await call(database, request, signed))
  } catch (thrown) {
    const error = awsErrorOf(thrown)
    if (error.status >= 500) request.log.error({ err: thrown }, 'AWS request failed')
    else if (thrown instanceof Fault && thrown.detail !== undefined)
      request.log.info({ detail: thrown.detail }, 'refused')
    request.logFields['error'] = error.code
    const { service, version } = claimOf(readParameters(signed))
    return await reply.code(error.status).send(service.writeError(error, request.id, version))
  }
}

async function call(database: Database, request: FastifyRequest, signed: SignedRequest): Promise<string> {
  const { caller, verified } = await authenticate(database, signed)
  request.logFields['account'] = caller.accountId
  const { service, action, version } = claimOf(verified.parameters)
  if (action === undefined) throw new AwsError('MissingAction', 'The request must contain the parameter Action.')
  const prepared = service.prepare(action, version, verified.parameters)
  request.logFields['action'] = action
  const work = async (tx: Transaction): Promise<string> => {
    const region = await regionOf(tx, verified.region)
    const xml = await prepared.run(tx, { caller, region, requestId: request.id })
    if (prepared.dryRun) {
      // Thrown, so that the transaction is undone: a dry run is the real thing up to the commit.
      throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)
    }
    return xml
  }
  return prepared.changes ? await database.transaction(work) : await database.read(work)
}

/** Who signed. The real clock: clients sign with theirs, whatever billing's clock shows. */
async function authenticate(
  database: Database,
  signed: SignedRequest,
): Promise<{ caller: Caller; verified: Verified }> {
  let caller: Caller | undefined
  const verified = await verifySignature(signed, {
    nowMs: Date.now(),
    async findSecret(accessKeyId) {
      const key = await findAccessKey(database, accessKeyId)
      if (key === undefined || !key.active) return undefined
      caller = { accountId: key.accountId, operator: key.operator, via: 'access-key', accessKeyId }
      return key.secret
    },
  })
  if (caller === undefined) throw new Error('a signature was verified without its key')
  if (verified.securityToken !== undefined) {
    throw new AwsError(
      'InvalidClientTokenId',
      'The security token included in the request is invalid: this service issues none. Unset AWS_SESSION_TOKEN, or choose a profile without a session token.',
      403,
    )
  }
  return { caller, verified }
}

/** The region a request is signed for, when the cloud has it. Old clients sign for whatever they find in the host name. */
async function regionOf(tx: Transaction, signedFor: string | undefined): Promise<string> {
  const { regions } = await cloudCatalog(tx)
  return signedFor !== undefined && regions.includes(signedFor) ? signedFor : tx.config.defaultRegion
}

/** What a request says it is, proven or not. */
function claimOf(parameters: Parameters): { service: AwsService; action: string | undefined; version: string } {
  const values = new Map(parameters)
  const action = values.get('Action')
  const version = values.get('Version') ?? ''
  const service = version === stsVersion || action === 'GetCallerIdentity' ? stsService : ec2Service
  return { service, action, version }
}

/** Parameters of a request that was refused, as far as they can be read: an error is answered in the form asked for. */
function readParameters(signed: SignedRequest): Parameters {
  try {
    return [...readQueryString(splitUrl(signed.url).query), ...readForm(signed.body)]
  } catch (error) {
    if (error instanceof AwsError) return []
    throw error
  }
}
