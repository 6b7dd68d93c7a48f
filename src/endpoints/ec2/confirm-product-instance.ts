import { confirmProductInstance as confirm } from '../../instances/confirm-product-instance.ts'
import { ec2Action } from './action.ts'

/** Before it, an instance without the code was answered by `return` false; from it on, by an error (spec §11). */
const firstVersionWithErrors = '2010-06-15'

export const confirmProductInstance = ec2Action<'ConfirmProductInstance'>({
  name: 'ConfirmProductInstance',
  changes: false,
  honoured: ['InstanceId', 'ProductCode'],
  ignored: {},
  async run(tx, input, { caller, region, apiVersion }) {
    const answer = await confirm(tx, { caller, region, productCode: input.ProductCode, instanceId: input.InstanceId })
    if (answer.confirmed) return { Return: true, OwnerId: answer.ownerId }
    if (apiVersion < firstVersionWithErrors) return { Return: false }
    throw answer.refusal
  },
})
