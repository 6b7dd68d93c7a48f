/** EC2, as an account's own AWS SDK calls it: unmodified, only told where the endpoint is. */
import {
  ConfirmProductInstanceCommand,
  DescribeInstancesCommand,
  EC2Client,
  EC2ServiceException,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
  waitUntilInstanceRunning,
  type _InstanceType,
} from '@aws-sdk/client-ec2'
import type { Credentials } from './rest-client.ts'

const waitSecondsMax = 30

export class Machines {
  readonly #client: EC2Client

  constructor(serviceUrl: string, { accessKeyId, secretAccessKey }: Credentials) {
    this.#client = new EC2Client({
      endpoint: serviceUrl,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
    })
  }

  /** Registers an image, puts a product code on it and lets everyone launch it. */
  async publishImage(name: string, productCode: string): Promise<string> {
    const { ImageId } = await this.#client.send(
      new RegisterImageCommand({ Name: name, ImageLocation: `images/${name}.manifest.xml`, Architecture: 'x86_64' }),
    )
    await this.#client.send(new ModifyImageAttributeCommand({ ImageId, ProductCodes: [productCode] }))
    await this.#client.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: [{ Group: 'all' }] } }))
    return known(ImageId)
  }

  /** Launches one instance and waits until it runs. */
  async launch(imageId: string, instanceType: _InstanceType): Promise<string> {
    const { Instances } = await this.#client.send(
      new RunInstancesCommand({ ImageId: imageId, InstanceType: instanceType, MinCount: 1, MaxCount: 1 }),
    )
    const instanceId = known(Instances?.[0]?.InstanceId)
    await waitUntilInstanceRunning(
      { client: this.#client, maxWaitTime: waitSecondsMax, minDelay: 1, maxDelay: 1 },
      { InstanceIds: [instanceId] },
    )
    return instanceId
  }

  /** Tries to launch where that must be refused. */
  async refusal(imageId: string, instanceType: _InstanceType): Promise<{ code: string; message: string }> {
    try {
      await this.launch(imageId, instanceType)
    } catch (error) {
      if (error instanceof EC2ServiceException) return { code: error.name, message: error.message }
      throw error
    }
    throw new Error('the launch was accepted, though nothing was bought')
  }

  async terminate(instanceId: string): Promise<void> {
    await this.#client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }))
  }

  /** @returns the account an instance runs for, if it carries the product code */
  async confirm(instanceId: string, productCode: string): Promise<string> {
    const { OwnerId } = await this.#client.send(
      new ConfirmProductInstanceCommand({ InstanceId: instanceId, ProductCode: productCode }),
    )
    return known(OwnerId)
  }

  async states(): Promise<string[]> {
    const { Reservations } = await this.#client.send(new DescribeInstancesCommand({}))
    return (Reservations ?? []).flatMap(({ Instances }) => (Instances ?? []).map((one) => known(one.State?.Name)))
  }
}

function known(value: string | undefined): string {
  if (value === undefined) throw new Error('EC2 answered without what was asked for')
  return value
}
