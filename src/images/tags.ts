/** Tags: words an account puts on images it sees and on its own instances. They are seen by that account only. */
import { Fault } from '../base/fault.ts'
import { requirePlainText } from './plain-text.ts'
import type { Transaction } from '../database/database.ts'
import { imageNotFound, noLaunchPermission, requireImageId, type Tag } from './images.ts'
import { imageStanding } from './store.ts'
import { ownInstances } from './tag-store.ts'

/** Tags one resource may have. */
export const tagsPerResourceMax = 50
const resourcesMax = 1000
export const keyLengthMax = 127
export const valueLengthMax = 255

/** @throws Fault InvalidParameter for a key or value EC2 would refuse, MissingParameter without any tag */
export function requireTags(tags: readonly Tag[]): void {
  if (tags.length === 0) {
    throw new Fault('MissingParameter', 'The request must contain at least one tag.', {
      data: { ec2Code: 'MissingParameter', parameter: 'Tag' },
    })
  }
  const keys = new Set<string>()
  for (const { key, value } of tags) {
    if (key === '') throw invalidTag(`A tag's key has 1 to ${keyLengthMax} characters.`)
    requirePlainText('Tag.Key', key, keyLengthMax)
    requirePlainText('Tag.Value', value, valueLengthMax)
    if (key.toLowerCase().startsWith('aws:')) {
      throw invalidTag(`Tag keys starting with 'aws:' are reserved for internal use: "${key}".`)
    }
    if (keys.has(key)) throw invalidTag(`The tag key "${key}" is given twice; give each key once.`)
    keys.add(key)
  }
  if (tags.length > tagsPerResourceMax) throw tooManyTags(tags.length)
}

/** The refusal for more tags than a resource may have. */
export function tooManyTags(count: number): Fault {
  return new Fault('LimitExceeded', `A resource would have ${count} tags; ${tagsPerResourceMax} are allowed.`, {
    data: { ec2Code: 'TagLimitExceeded' },
  })
}

/**
 * Checks that every resource exists and may be tagged by the account.
 *
 * @throws Fault InvalidParameter (an id of neither kind), ImageNotFound, NoLaunchPermission, InstanceNotFound
 */
export async function requireTaggable(
  tx: Transaction,
  query: { accountId: string; region: string; resourceIds: readonly string[] },
): Promise<void> {
  const { accountId, region, resourceIds } = query
  if (resourceIds.length === 0 || resourceIds.length > resourcesMax) {
    throw new Fault(
      'InvalidParameter',
      `The request names ${resourceIds.length} resources; 1 to ${resourcesMax} are allowed.`,
      {
        data: { ec2Code: 'InvalidParameterValue', parameter: 'ResourceId' },
      },
    )
  }
  const imageIds = resourceIds.filter((id) => id.startsWith('ami-'))
  const instanceIds = resourceIds.filter((id) => /^i-[0-9a-f]{8,17}$/.test(id))
  const other = resourceIds.find((id) => !imageIds.includes(id) && !instanceIds.includes(id))
  if (other !== undefined) {
    throw new Fault('InvalidParameter', `The ID '${other}' is not valid; images and instances can be tagged.`, {
      data: { ec2Code: 'InvalidID', parameter: 'ResourceId' },
    })
  }
  for (const imageId of imageIds) requireImageId(imageId)
  if (imageIds.length > 0) {
    const standing = await imageStanding(tx, { imageIds, region, accountId })
    const unknown = imageIds.filter((imageId) => !standing.has(imageId))
    if (unknown.length > 0) throw imageNotFound(unknown)
    const hidden = imageIds.filter((imageId) => standing.get(imageId) === 'not-shared')
    if (hidden.length > 0) throw noLaunchPermission(hidden)
  }
  if (instanceIds.length > 0) {
    const own = await ownInstances(tx, { accountId, region, instanceIds })
    const unknown = instanceIds.filter((instanceId) => !own.has(instanceId))
    if (unknown.length > 0) {
      throw new Fault('InstanceNotFound', `The instance IDs '${unknown.join(', ')}' do not exist`, {
        data: { ec2Code: 'InvalidInstanceID.NotFound', instanceId: unknown.join(', ') },
      })
    }
  }
}

function invalidTag(message: string): Fault {
  return new Fault('InvalidParameter', message, { data: { ec2Code: 'InvalidParameterValue', parameter: 'Tag' } })
}
