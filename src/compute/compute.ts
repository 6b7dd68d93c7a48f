/**
 * What Turnpike asks of the machines' side. A driver is told a goal and answers the state the machine has then; it knows no
 * product, price or account beyond what is here. Instances are written down elsewhere; a driver keeps nothing that
 * billing needs.
 */

/** One instance as a driver needs it. */
export interface Machine {
  readonly accountId: string
  readonly instanceId: string
  readonly imageId: string
  readonly region: string
  readonly availabilityZone: string
  readonly environment: string
  readonly instanceType: string
  readonly architecture: string
  /** Dotted IPv4. */
  readonly privateIpAddress: string
  readonly keyName?: string
  /** Base64. */
  readonly userData?: string
}

/** A state a machine stays in by itself. */
export type MachineState = 'running' | 'stopped' | 'terminated'

/** A kind of machines. */
export interface ComputeDriver {
  readonly name: string
  /**
   * Brings a machine to a state and answers the one it has then: the goal, or `terminated` when the machine is lost or could not
   * be made. May be asked again for the same goal, also after it was reached, and must answer the same.
   *
   * @throws Error when it cannot tell yet; it is asked again later
   */
  advance(machine: Machine, goal: MachineState): Promise<MachineState>
}
