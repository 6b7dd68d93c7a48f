/**
 * Dimensions: what is counted and priced (spec §3). One dimension has one canonical text, which is what rows hold:
 * `InstanceHours:<region>:<environment>:<instanceType>`.
 */
import { Fault } from '../base/fault.ts'

/** Where and on what an instance runs: the parts a configuration and a rate are made of. */
export interface InstanceConfiguration {
  readonly region: string
  readonly environment: string
  readonly instanceType: string
}

/** A dimension taken apart. */
export interface Dimension extends InstanceConfiguration {
  readonly kind: 'InstanceHours'
}

const part = /^[a-z0-9][a-z0-9.-]{0,62}$/

/** Whether a text can be the name of a region, an environment or an instance type. */
export function isDimensionPart(text: string): boolean {
  return part.test(text)
}

/** The canonical text of instance-hours. */
export function instanceHours({ region, environment, instanceType }: InstanceConfiguration): string {
  return `InstanceHours:${region}:${environment}:${instanceType}`
}

/** @throws Fault InvalidParameter when the text is no dimension */
export function parseDimension(text: string): Dimension {
  const [kind, region = '', environment = '', instanceType = '', ...rest] = text.split(':')
  if (kind !== 'InstanceHours' || rest.length > 0 || ![region, environment, instanceType].every(isDimensionPart)) {
    throw new Fault(
      'InvalidParameter',
      `"${text}" is not a dimension; write it as InstanceHours:us-east-1:linux:m1.small (region, environment, instance type).`,
    )
  }
  return { kind, region, environment, instanceType }
}

/** A dimension for people: `m1.small, linux, us-east-1`. */
export function describeDimension(text: string): string {
  const { region, environment, instanceType } = parseDimension(text)
  return `${instanceType}, ${environment}, ${region}`
}
