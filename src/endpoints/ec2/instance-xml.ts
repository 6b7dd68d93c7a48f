/** Instances, reservations and changes of state, in EC2's words. */
import type {
  Instance as WireInstance,
  InstanceStateChange,
  Reservation as WireReservation,
} from '../../aws/ec2-model.generated.ts'
import {
  stateCodes,
  type Instance,
  type InstanceState,
  type Reservation,
  type StateChange,
} from '../../instances/instances.ts'
import { wireProductCodes, wireTags } from './image-xml.ts'

export function wireReservation(reservation: Reservation): WireReservation {
  return {
    ReservationId: reservation.reservationId,
    OwnerId: reservation.ownerAccountId,
    Groups: wireGroups(reservation.instances[0]?.securityGroups ?? []),
    Instances: reservation.instances.map((instance) => wireInstance(instance, reservation.clientToken)),
  }
}

export function wireState(state: InstanceState): { Code: number; Name: string } {
  return { Code: stateCodes[state], Name: state }
}

export function wireStateChange(change: StateChange): InstanceStateChange {
  return {
    InstanceId: change.instanceId,
    CurrentState: wireState(change.currentState),
    PreviousState: wireState(change.previousState),
  }
}

function wireInstance(instance: Instance, clientToken: string | undefined): WireInstance {
  return {
    InstanceId: instance.instanceId,
    ImageId: instance.imageId,
    State: wireState(instance.state),
    StateReason: instance.stateReason && { Code: instance.stateReason.code, Message: instance.stateReason.message },
    StateTransitionReason: instance.stateTransitionReason,
    PrivateDnsName: instance.privateDnsName,
    PrivateIpAddress: instance.privateIpAddress,
    PublicDnsName: '',
    KeyName: instance.keyName,
    AmiLaunchIndex: instance.launchIndex,
    ProductCodes: wireProductCodes(instance.productCode),
    InstanceType: instance.instanceType,
    LaunchTime: instance.launchedAt,
    Placement: { AvailabilityZone: instance.availabilityZone, GroupName: '', Tenancy: 'default' },
    Monitoring: { State: instance.monitoring ? 'enabled' : 'disabled' },
    Platform: instance.platform,
    PlatformDetails: instance.platform === 'windows' ? 'Windows' : 'Linux/UNIX',
    Architecture: instance.architecture,
    RootDeviceType: instance.rootDeviceType,
    RootDeviceName: instance.rootDeviceName,
    BlockDeviceMappings: [],
    VirtualizationType: instance.virtualizationType,
    Hypervisor: 'xen',
    EbsOptimized: false,
    ClientToken: clientToken,
    SecurityGroups: wireGroups(instance.securityGroups),
    Tags: wireTags(instance.tags),
  }
}

/** Security groups have no ids here; the first API versions put the name in the place of the id. */
function wireGroups(names: readonly string[]): { GroupId: string; GroupName: string }[] {
  return names.map((name) => ({ GroupId: name, GroupName: name }))
}
