/**
 * RunInstances: one transaction with the reservation, its instances, their first transitions, their tags and the tasks that bring up
 * the machines. What is asked, in this order: is the request one that was made before (client token), may the account
 * launch the image, does the cloud and then the product cover the configuration, is there a live subscription (spec §11).
 */
import type { Caller } from '../accounts/accounts.ts'
import { present } from '../base/assert.ts'
import { Fault } from '../base/fault.ts'
import { newEc2Id } from '../base/ids.ts'
import { sha256Hex } from '../base/seal.ts'
import type { Transaction } from '../database/database.ts'
import type { Image, Tag } from '../images/images.ts'
import { requirePlainText } from '../images/plain-text.ts'
import { requireLaunchableImage } from '../images/require-image.ts'
import { requireTags } from '../images/tags.ts'
import { enqueueAll } from '../jobs/enqueue.ts'
import { requireEntitlement } from './require-entitlement.ts'
import { readReservation } from './describe-store.ts'
import type { Reservation } from './instances.ts'
import { requireCapacity } from './limit.ts'
import { requirePlacement } from './placement.ts'
import { claimClientToken, findClientToken, insertLaunch, type NewReservation } from './store.ts'
import { toLaunchedReservation } from './launched-reservation.ts'

export interface RunInstancesRequest {
  readonly caller: Caller
  readonly region: string
  readonly imageId: string
  /** Default `m1.small`, as EC2's own. */
  readonly instanceType?: string
  readonly minCount: number
  readonly maxCount: number
  /** At most 64 characters; the same request with the same token launches once. */
  readonly clientToken?: string
  /** Digest of everything else the wire's request said, if it holds more than is here. */
  readonly requestSha256?: string
  readonly keyName?: string
  /** Base64 of at most 16 KiB. */
  readonly userData?: string
  readonly availabilityZone?: string
  /** Names; default `default`. */
  readonly securityGroups?: readonly string[]
  readonly monitoring?: boolean
  readonly shutdownBehavior?: 'stop' | 'terminate'
  /** Of every instance. */
  readonly tags?: readonly Tag[]
}

const countMax = 1000
const clientTokenLengthMax = 64
const nameLengthMax = 255
const userDataBytesMax = 16_384

/**
 * @returns the reservation with all its instances, `pending`; for a repeated client token the first one's, as they are now
 * @throws Fault InvalidParameter, IdempotencyMismatch, ImageNotFound, NoLaunchPermission, ImageUnavailable,
 *   Unsupported (the cloud does not offer it), OutsideConfiguration, NotSubscribed, SubscriptionSuspended, LimitExceeded
 */
export async function runInstances(tx: Transaction, request: RunInstancesRequest): Promise<Reservation> {
  requireSound(request)
  const { accountId } = request.caller
  const { clientToken } = request
  const reservationId = newEc2Id('r')
  // The token is claimed first: a second request with it waits here for the first to end, and is refused or answered for
  // what the first one did, even when the subscription has ended in between.
  if (clientToken !== undefined) {
    const requestSha256 = digest(request)
    if (!(await claimClientToken(tx, { accountId, reservationId, clientToken, requestSha256 }))) {
      return await repeat(tx, request, clientToken, requestSha256)
    }
  }
  const { imageId, region } = request
  const image = await requireLaunchableImage(tx, { accountId, region, imageId })
  const launch = await newLaunch(tx, request, image, reservationId)
  const addresses = await insertLaunch(tx, launch)
  await enqueueAll(
    tx,
    'instance.advance',
    launch.instanceIds.map((instanceId) => ({ accountId, instanceId, sequence: 1 })),
  )
  return toLaunchedReservation({ launch, image, addresses, now: tx.now, clientToken })
}

async function newLaunch(
  tx: Transaction,
  request: RunInstancesRequest,
  image: Image,
  reservationId: string,
): Promise<NewReservation> {
  const { accountId } = request.caller
  const { productCode, environment } = image
  const { region, clientToken, keyName, userData } = request
  const instanceType = request.instanceType ?? 'm1.small'
  const availabilityZone = await requirePlacement(tx, {
    region,
    environment,
    instanceType,
    architecture: image.architecture,
    ...(request.availabilityZone === undefined ? {} : { availabilityZone: request.availabilityZone }),
    spread: accountId,
  })
  const configuration = { region, environment, instanceType }
  const subscriptionId =
    productCode === undefined ? undefined : await requireEntitlement(tx, { accountId, productCode, configuration })
  const count = await requireCapacity(tx, accountId, request)
  return {
    accountId,
    reservationId,
    claimed: clientToken !== undefined,
    imageId: image.imageId,
    ...(productCode === undefined ? {} : { productCode }),
    ...(subscriptionId === undefined ? {} : { subscriptionId }),
    region,
    availabilityZone,
    environment,
    instanceType,
    architecture: image.architecture,
    ...(keyName === undefined ? {} : { keyName }),
    ...(userData === undefined ? {} : { userData }),
    securityGroups: request.securityGroups?.length ? request.securityGroups : ['default'],
    monitoring: request.monitoring ?? false,
    shutdownBehavior: request.shutdownBehavior ?? 'stop',
    tags: request.tags ?? [],
    instanceIds: Array.from({ length: count }, () => newEc2Id('i')),
  }
}

async function repeat(
  tx: Transaction,
  request: RunInstancesRequest,
  clientToken: string,
  requestSha256: string,
): Promise<Reservation> {
  const { accountId } = request.caller
  const first = present(await findClientToken(tx, accountId, clientToken), 'the reservation of a used client token')
  if (first.requestSha256 !== requestSha256) {
    throw new Fault(
      'IdempotencyMismatch',
      `The client token ${clientToken} was used before with other parameters. Send the same parameters to get the same reservation, or another token to launch anew.`,
      { data: { ec2Code: 'IdempotentParameterMismatch', parameter: 'ClientToken' } },
    )
  }
  const query = { accountId, region: request.region, reservationId: first.reservationId }
  return present(await readReservation(tx, query), `reservation ${first.reservationId} with its instances`)
}

/** Everything that makes two requests the same one, in a fixed order. */
function digest(request: RunInstancesRequest): string {
  return sha256Hex(
    JSON.stringify([
      request.region,
      request.imageId,
      request.instanceType ?? null,
      request.minCount,
      request.maxCount,
      request.requestSha256 ?? null,
      request.keyName ?? null,
      request.userData ?? null,
      request.availabilityZone ?? null,
      request.securityGroups ?? [],
      request.monitoring ?? false,
      request.shutdownBehavior ?? null,
      (request.tags ?? []).map(({ key, value }) => JSON.stringify([key, value])).toSorted(),
    ]),
  )
}

function requireSound(request: RunInstancesRequest): void {
  const { minCount, maxCount, clientToken, userData, tags } = request
  if (
    !Number.isInteger(minCount) ||
    !Number.isInteger(maxCount) ||
    minCount < 1 ||
    maxCount < minCount ||
    maxCount > countMax
  ) {
    throw invalid(
      'MinCount',
      `Value (${minCount} to ${maxCount}) for parameters MinCount and MaxCount is invalid: 1 ≤ MinCount ≤ MaxCount ≤ ${countMax}.`,
    )
  }
  if (clientToken === '') throw invalid('ClientToken', 'The client token is empty; leave it out instead.')
  requirePlainText('ClientToken', clientToken ?? '', clientTokenLengthMax)
  requirePlainText('KeyName', request.keyName ?? '', nameLengthMax)
  for (const name of request.securityGroups ?? []) requirePlainText('SecurityGroup', name, nameLengthMax)
  if (userData !== undefined && !isBase64(userData)) {
    throw invalid('UserData', `User data is base64 of at most ${userDataBytesMax} bytes.`)
  }
  if (tags !== undefined && tags.length > 0) requireTags(tags)
}

function isBase64(text: string): boolean {
  return (
    /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(text) && Buffer.byteLength(Buffer.from(text, 'base64')) <= userDataBytesMax
  )
}

function invalid(parameter: string, message: string): Fault {
  return new Fault('InvalidParameter', message, { data: { ec2Code: 'InvalidParameterValue', parameter } })
}
