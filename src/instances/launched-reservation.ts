/** A launch as its answer shows it, without reading back what was just written. */
import type { Image } from '../images/images.ts'
import { privateDnsName, type Reservation } from './instances.ts'
import type { NewReservation } from './store.ts'

/** @param launched.addresses by launch index */
export function toLaunchedReservation(launched: {
  launch: NewReservation
  image: Image
  addresses: readonly string[]
  now: Date
  clientToken: string | undefined
}): Reservation {
  const { launch, image, addresses, now, clientToken } = launched
  const { accountId, reservationId, instanceIds, claimed: _claimed, ...common } = launch
  return {
    reservationId,
    ownerAccountId: accountId,
    ...(clientToken === undefined ? {} : { clientToken }),
    instances: instanceIds.map((instanceId, launchIndex) => {
      const privateIpAddress = addresses[launchIndex] ?? ''
      return {
        ...common,
        instanceId,
        ownerAccountId: accountId,
        reservationId,
        launchIndex,
        ...(image.platform === undefined ? {} : { platform: image.platform }),
        privateIpAddress,
        privateDnsName: privateDnsName(privateIpAddress, launch.region),
        state: 'pending' as const,
        stateTransitionReason: '',
        sequence: 1,
        launchedAt: now,
        stateChangedAt: now,
        rootDeviceType: image.rootDeviceType,
        ...(image.rootDeviceName === undefined ? {} : { rootDeviceName: image.rootDeviceName }),
        virtualizationType: image.virtualizationType,
      }
    }),
  }
}
