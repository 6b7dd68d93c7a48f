/**
 * Both spellings clients use: by structure (`LaunchPermission.Add.1.UserId`, `ProductCode.1`, `Description.Value`) and, older, by
 * name (`Attribute=launchPermission&OperationType=add&UserId.1`). One request changes one attribute.
 */
import { AwsError } from '../../aws/aws-error.ts'
import type { LaunchPermission, ModifyImageAttributeRequest } from '../../aws/ec2-model.generated.ts'
import { attachProductCode } from '../../images/attach-product-code.ts'
import { modifyDescription } from '../../images/modify-description.ts'
import { modifyLaunchPermission, type LaunchPermissionChange } from '../../images/modify-launch-permission.ts'
import { ec2Action } from './action.ts'

export const modifyImageAttribute = ec2Action<'ModifyImageAttribute'>({
  name: 'ModifyImageAttribute',
  changes: true,
  honoured: [
    'ImageId',
    'Attribute',
    'OperationType',
    'ProductCode',
    'UserId',
    'UserGroup',
    'LaunchPermission.Add.UserId',
    'LaunchPermission.Add.Group',
    'LaunchPermission.Remove.UserId',
    'LaunchPermission.Remove.Group',
    'Description',
    'Value',
  ],
  ignored: {},
  async run(tx, input, { caller, region }) {
    const request = { caller, region, imageId: input.ImageId }
    switch (attributeOf(input)) {
      case 'productCodes':
        await attachProductCode(tx, { ...request, productCodes: readProductCodes(input) })
        return undefined
      case 'launchPermission':
        await modifyLaunchPermission(tx, { ...request, ...readLaunchPermission(input) })
        return undefined
      case 'description':
        await modifyDescription(tx, { ...request, description: input.Description?.Value ?? input.Value ?? '' })
        return undefined
    }
  },
})

type Attribute = 'productCodes' | 'launchPermission' | 'description'

function attributeOf(input: ModifyImageAttributeRequest): Attribute {
  const permission = input.LaunchPermission ?? input.UserIds ?? input.UserGroups
  const meant = new Set<string>()
  if (input.Attribute !== undefined) meant.add(input.Attribute)
  if (input.ProductCodes !== undefined) meant.add('productCodes')
  if (permission !== undefined) meant.add('launchPermission')
  if (input.Description !== undefined) meant.add('description')
  const [attribute, ...others] = meant
  if (attribute === undefined || others.length > 0) {
    throw new AwsError(
      'InvalidParameterCombination',
      attribute === undefined
        ? 'The request names no attribute to modify; name one of productCodes, launchPermission, description.'
        : `The request would modify ${[...meant].join(' and ')}; modify one attribute at a time.`,
    )
  }
  if (attribute === 'productCodes' || attribute === 'launchPermission' || attribute === 'description') return attribute
  throw new AwsError(
    'InvalidParameterValue',
    `The attribute "${attribute}" cannot be modified; productCodes, launchPermission and description can.`,
  )
}

function readProductCodes(input: ModifyImageAttributeRequest): readonly string[] {
  if (input.OperationType !== undefined && input.OperationType !== 'add') {
    throw new AwsError(
      'InvalidParameterValue',
      `The operation "${input.OperationType}" does not exist for product codes: a code is added once, and never changed nor removed.`,
    )
  }
  return input.ProductCodes ?? (input.Value === undefined ? [] : [input.Value])
}

function readLaunchPermission(input: ModifyImageAttributeRequest): {
  add: LaunchPermissionChange
  remove: LaunchPermissionChange
} {
  const named = { accountIds: input.UserIds ?? [], groups: input.UserGroups ?? [] }
  const byName = named.accountIds.length + named.groups.length > 0
  if (byName && input.OperationType !== 'add' && input.OperationType !== 'remove') {
    throw new AwsError('InvalidParameterValue', 'OperationType says whether to "add" or to "remove"; give one of them.')
  }
  const added = byName && input.OperationType === 'add' ? named : { accountIds: [], groups: [] }
  const removed = byName && input.OperationType === 'remove' ? named : { accountIds: [], groups: [] }
  return {
    add: joined(added, input.LaunchPermission?.Add),
    remove: joined(removed, input.LaunchPermission?.Remove),
  }
}

function joined(
  named: { accountIds: readonly string[]; groups: readonly string[] },
  items: readonly LaunchPermission[] = [],
): LaunchPermissionChange {
  return {
    accountIds: [...named.accountIds, ...items.flatMap(({ UserId }) => (UserId === undefined ? [] : [UserId]))],
    groups: [...named.groups, ...items.flatMap(({ Group }) => (Group === undefined ? [] : [Group]))],
  }
}
