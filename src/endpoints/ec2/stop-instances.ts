import { stopInstances as stop } from '../../instances/stop-instances.ts'
import { ec2Action } from './action.ts'
import { wireStateChange } from './instance-xml.ts'

export const stopInstances = ec2Action<'StopInstances'>({
  name: 'StopInstances',
  changes: true,
  honoured: ['InstanceId'],
  ignored: {
    Force: 'machines are always brought down within a bound',
    SkipOsShutdown: 'as Force',
  },
  async run(tx, input, { caller: { accountId }, region }) {
    const changes = await stop(tx, { accountId, region, instanceIds: input.InstanceIds, actor: accountId })
    return { StoppingInstances: changes.map(wireStateChange) }
  },
})
