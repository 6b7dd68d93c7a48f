/** Every action of EC2 that is served. Serving another one: its name in tools/generate-ec2-model.ts, its file, a line here. */
import type { ServedAction } from './action.ts'
import { confirmProductInstance } from './confirm-product-instance.ts'
import { createTags } from './create-tags.ts'
import { deleteTags } from './delete-tags.ts'
import { deregisterImage } from './deregister-image.ts'
import { describeAvailabilityZones } from './describe-availability-zones.ts'
import { describeImageAttribute } from './describe-image-attribute.ts'
import { describeImages } from './describe-images.ts'
import { describeInstanceStatus } from './describe-instance-status.ts'
import { describeInstanceTypes } from './describe-instance-types.ts'
import { describeInstances } from './describe-instances.ts'
import { describeRegions } from './describe-regions.ts'
import { describeTags } from './describe-tags.ts'
import { modifyImageAttribute } from './modify-image-attribute.ts'
import { rebootInstances } from './reboot-instances.ts'
import { registerImage } from './register-image.ts'
import { resetImageAttribute } from './reset-image-attribute.ts'
import { runInstances } from './run-instances.ts'
import { startInstances } from './start-instances.ts'
import { stopInstances } from './stop-instances.ts'
import { terminateInstances } from './terminate-instances.ts'

export const ec2Actions: readonly ServedAction[] = [
  confirmProductInstance,
  createTags,
  deleteTags,
  deregisterImage,
  describeAvailabilityZones,
  describeImageAttribute,
  describeImages,
  describeInstanceStatus,
  describeInstanceTypes,
  describeInstances,
  describeRegions,
  describeTags,
  modifyImageAttribute,
  rebootInstances,
  registerImage,
  resetImageAttribute,
  runInstances,
  startInstances,
  stopInstances,
  terminateInstances,
]
