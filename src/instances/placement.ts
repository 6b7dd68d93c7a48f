/** Where an instance runs: the cloud must have the type, offer it there, and have the zone. */
import { Fault } from '../base/fault.ts'
import { present } from '../base/assert.ts'
import type { Transaction } from '../database/database.ts'
import { rateCardInForce } from '../products/find-rate-card.ts'

/**
 * @param request.spread without a zone one is chosen by this text: an account is always given the same one, accounts
 *   are spread
 * @returns the availability zone
 * @throws Fault InvalidParameter (unknown type, region or zone), Unsupported (not offered in the region or environment)
 */
export async function requirePlacement(
  tx: Transaction,
  request: {
    region: string
    environment: string
    instanceType: string
    /** Of the image. */
    architecture: string
    availabilityZone?: string
    spread: string
  },
): Promise<string> {
  const { region, environment, instanceType, availabilityZone } = request
  const card = await rateCardInForce(tx, tx.now)
  const type = card.catalog.instanceType(instanceType)
  if (type === undefined) {
    throw invalid('InstanceType', `Invalid value '${instanceType}' for InstanceType. See DescribeInstanceTypes.`)
  }
  if (!runs(type.architecture, request.architecture)) {
    throw invalid(
      'InstanceType',
      `The architecture '${type.architecture}' of the instance type ${instanceType} does not run the image's, '${request.architecture}'.`,
    )
  }
  const zones = card.catalog.zonesOf(region)
  if (zones.length === 0) throw invalid('Region', `The cloud has no region ${region}. See DescribeRegions.`)
  if (availabilityZone !== undefined && !zones.includes(availabilityZone)) {
    throw invalid(
      'AvailabilityZone',
      `Invalid availability zone: [${availabilityZone}]. Zones here: ${zones.join(', ')}.`,
    )
  }
  if (!card.offers({ region, environment, instanceType })) {
    throw new Fault(
      'Unsupported',
      `The cloud does not offer ${instanceType} instances of ${environment} in ${region}. See DescribeInstanceTypes.`,
      { data: { ec2Code: 'Unsupported', region, environment, instanceType } },
    )
  }
  return (
    availabilityZone ?? present(zones[Number(BigInt(request.spread) % BigInt(zones.length))], 'a zone of the region')
  )
}

/** A 64-bit machine of the x86 family also runs 32-bit images. */
function runs(machine: string, image: string): boolean {
  return machine === image || (machine === 'x86_64' && image === 'i386')
}

function invalid(parameter: string, message: string): Fault {
  return new Fault('InvalidParameter', message, { data: { ec2Code: 'InvalidParameterValue', parameter } })
}
