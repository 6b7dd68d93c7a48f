import type { InstanceTypeInfo } from '../../aws/ec2-model.generated.ts'
import { AwsError } from '../../aws/aws-error.ts'
import { cloudCatalog } from '../../products/find-rate-card.ts'
import type { InstanceType } from '../../products/rate-card.ts'
import { ec2Action } from './action.ts'
import { applyFilters, pageOf } from './filters.ts'

export const describeInstanceTypes = ec2Action<'DescribeInstanceTypes'>({
  name: 'DescribeInstanceTypes',
  changes: false,
  honoured: ['InstanceType', 'Filter', 'MaxResults', 'NextToken'],
  ignored: { IncludeUnsupportedInRegion: 'every type is shown' },
  async run(tx, input) {
    const { instanceTypes } = await cloudCatalog(tx)
    const asked = input.InstanceTypes ?? []
    const unknown = asked.filter((name) => !instanceTypes.some((type) => type.name === name))
    if (unknown.length > 0) {
      throw new AwsError(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
      )
    }
    const named = asked.length === 0 ? instanceTypes : instanceTypes.filter((type) => asked.includes(type.name))
    const rows = applyFilters(named, input.Filters, {
      'instance-type': (type) => type.name,
      hypervisor: (type) => type.hypervisor ?? 'xen',
      'processor-info.supported-architecture': architectures,
      'vcpu-info.default-vcpus': (type) => String(type.vcpus),
      'memory-info.size-in-mib': (type) => String(type.memoryMib),
    })
    const { page, NextToken } = pageOf(rows, input, (type) => type.name)
    return { InstanceTypes: page.map(wireType), NextToken }
  },
})

function wireType(type: InstanceType): InstanceTypeInfo {
  return {
    InstanceType: type.name,
    Hypervisor: type.hypervisor ?? 'xen',
    SupportedUsageClasses: ['on-demand'],
    SupportedRootDeviceTypes: ['ebs', 'instance-store'],
    SupportedVirtualizationTypes: ['hvm', 'paravirtual'],
    ProcessorInfo: { SupportedArchitectures: architectures(type) },
    VCpuInfo: { DefaultVCpus: type.vcpus },
    MemoryInfo: { SizeInMiB: type.memoryMib },
  }
}

/** A 64-bit machine of this kind runs 32-bit images as well. */
function architectures({ architecture }: InstanceType): string[] {
  return architecture === 'x86_64' ? ['i386', 'x86_64'] : [architecture]
}
