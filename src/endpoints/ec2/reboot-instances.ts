import { rebootInstances as reboot } from '../../instances/reboot-instances.ts'
import { ec2Action } from './action.ts'

export const rebootInstances = ec2Action<'RebootInstances'>({
  name: 'RebootInstances',
  changes: true,
  honoured: ['InstanceId'],
  ignored: {},
  async run(tx, input, { caller, region }) {
    await reboot(tx, { caller, region, instanceIds: input.InstanceIds })
    return undefined
  },
})
