/** Clients of AWS that are programs of their own, run as their packages bring them, against a house with something to sell. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openTestHouse, type Person, type SellableProduct, type TestHouse } from './house.ts'
import type { AccessKey } from './wires.ts'

export interface ClientRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a client with a key of ours and nothing else of this machine's AWS settings. */
export async function runClient(program: string, words: readonly string[], key?: AccessKey): Promise<ClientRun> {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))
  const child = spawn(program, words, {
    env: {
      ...Object.fromEntries(others),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_PAGER: '',
      ...(key && { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** A house, someone who sells there and someone who may buy. */
export interface Setting {
  readonly house: TestHouse
  readonly seller: Person
  readonly buyer: Person
  readonly product: SellableProduct
}

export async function openSetting(): Promise<Setting> {
  const house = await openTestHouse()
  const [seller, buyer] = [await house.newPerson(), await house.newPerson()]
  return { house, seller, buyer, product: await house.town.sell(seller) }
}
