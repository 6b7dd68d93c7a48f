import { startInstances as start } from '../../instances/start-instances.ts'
import { ec2Action } from './action.ts'
import { wireStateChange } from './instance-xml.ts'

export const startInstances = ec2Action<'StartInstances'>({
  name: 'StartInstances',
  changes: true,
  honoured: ['InstanceId'],
  ignored: { AdditionalInfo: 'EC2 itself reserves it' },
  async run(tx, input, { caller, region }) {
    const changes = await start(tx, { caller, region, instanceIds: input.InstanceIds })
    return { StartingInstances: changes.map(wireStateChange) }
  },
})
