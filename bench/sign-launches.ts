/** RunInstances as a client of today sends it: a form under Signature Version 4, with a client token of its own. */
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'

export interface Buyer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

class NodeSha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    if (key === undefined) this.#hash = createHash('sha256')
    else this.#hash = createHmac('sha256', typeof key === 'string' ? key : Buffer.from(key as Uint8Array))
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
}

/** Signs launches for buyers in turn; one signer a buyer, so that the day's keys are derived once. */
export class LaunchSigner {
  readonly #url: URL
  readonly #imageId: string
  readonly #signers: readonly SignatureV4[]
  #next = 0

  constructor(url: string, imageId: string, buyers: readonly Buyer[]) {
    this.#url = new URL(url)
    this.#imageId = imageId
    const scope = { region: 'us-east-1', service: 'ec2', sha256: NodeSha256 }
    this.#signers = buyers.map((credentials) => new SignatureV4({ credentials, ...scope }))
  }

  /** @returns each request as its bytes, head and body */
  async sign(count: number): Promise<Buffer[]> {
    const requests: Buffer[] = []
    for (let index = 0; index < count; index += 1) requests.push(await this.#signOne())
    return requests
  }

  async #signOne(): Promise<Buffer> {
    const signer = this.#signers[this.#next % this.#signers.length]
    this.#next += 1
    if (signer === undefined) throw new Error('somebody has to launch')
    const body = new URLSearchParams({
      Action: 'RunInstances',
      Version: '2016-11-15',
      ImageId: this.#imageId,
      InstanceType: 'm1.small',
      MinCount: '1',
      MaxCount: '1',
      ClientToken: randomUUID(),
    }).toString()
    const { hostname, host } = this.#url
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) }
    const signed = await signer.sign({ method: 'POST', protocol: 'http:', hostname, path: '/', headers, body })
    const head = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return Buffer.from(`POST / HTTP/1.1\r\n${head.join('')}\r\n${body}`, 'latin1')
  }
}
