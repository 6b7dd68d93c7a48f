import { terminateInstances as terminate } from '../../instances/terminate-instances.ts'
import { ec2Action } from './action.ts'
import { wireStateChange } from './instance-xml.ts'

export const terminateInstances = ec2Action<'TerminateInstances'>({
  name: 'TerminateInstances',
  changes: true,
  honoured: ['InstanceId'],
  ignored: { Force: 'machines are always brought down within a bound', SkipOsShutdown: 'as Force' },
  async run(tx, input, { caller: { accountId }, region }) {
    const changes = await terminate(tx, { accountId, region, instanceIds: input.InstanceIds, actor: accountId })
    return { TerminatingInstances: changes.map(wireStateChange) }
  },
})
