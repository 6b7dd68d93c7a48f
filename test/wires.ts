/** The AWS wires over a real database on a loopback port, and clients of every kind that are signed in as some account. */
import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { EC2Client } from '@aws-sdk/client-ec2'
import { STSClient } from '@aws-sdk/client-sts'
import { createAccessKey } from '../src/accounts/create-access-key.ts'
import type { Config } from '../src/base/config.ts'
import { createMetrics } from '../src/base/telemetry.ts'
import { awsEndpoint } from '../src/endpoints/aws/dispatch.ts'
import { databaseReady } from '../src/http/health.ts'
import { createServer, shutDown } from '../src/http/server.ts'
import { loadRateCard } from '../src/products/load-rate-card.ts'
import { testDatabase, type TestDatabase } from './database.ts'
import { sampleRateCard } from './products.ts'

export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Wires extends TestDatabase {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string
  accessKeyOf(accountId: string): Promise<AccessKey>
  ec2Of(accountId: string, region?: string): Promise<EC2Client>
  stsOf(accountId: string): Promise<STSClient>
}

/** An access key of ours for the clients of the SDK. */
const credentialsOf = ({ accessKeyId, secretAccessKey }: AccessKey): AccessKey => ({
  accessKeyId,
  secretAccessKey,
})

export async function openWires(options: { config?: Partial<Config> } = {}): Promise<Wires> {
  const house = await testDatabase(options)
  await house.database.transaction((tx) => loadRateCard(tx, sampleRateCard))
  const server = createServer({
    log: house.log,
    metrics: createMetrics(),
    trustProxy: false,
    ready: () => databaseReady(house.pool),
  })
  await server.register(awsEndpoint({ database: house.database }))
  await server.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`

  const clients: { destroy(): void }[] = []
  const accessKeyOf = async (accountId: string): Promise<AccessKey> =>
    credentialsOf(await house.database.transaction((tx) => createAccessKey(tx, { accountId, actor: accountId })))
  const ec2Of = async (accountId: string, region = 'us-east-1'): Promise<EC2Client> => {
    const client = new EC2Client({ region, endpoint: url, credentials: await accessKeyOf(accountId), maxAttempts: 1 })
    clients.push(client)
    return client
  }
  const stsOf = async (accountId: string): Promise<STSClient> => {
    const client = new STSClient({ region: 'us-east-1', endpoint: url, credentials: await accessKeyOf(accountId) })
    clients.push(client)
    return client
  }
  const close = async (): Promise<void> => {
    for (const client of clients) client.destroy()
    await shutDown(server)
    await house.close()
  }
  return { ...house, url, accessKeyOf, ec2Of, stsOf, close }
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * A request as clients of the DevPay years sent it: Signature Version 2, in the query string or in a form.
 *
 * @param parameters with Action and Version
 */
export async function askVersion2(
  url: string,
  key: AccessKey,
  parameters: Readonly<Record<string, string>>,
  method: 'GET' | 'POST' = 'POST',
): Promise<{ status: number; text: string; headers: Headers }> {
  const all: Record<string, string> = {
    ...parameters,
    AWSAccessKeyId: key.accessKeyId,
    SignatureVersion: '2',
    SignatureMethod: 'HmacSHA256',
    Timestamp: new Date().toISOString().replace(/\.\d+/, ''),
  }
  const query = Object.keys(all)
    .sort()
    .map((name) => `${encode(name)}=${encode(all[name] ?? '')}`)
    .join('&')
  const signature = createHmac('sha256', key.secretAccessKey)
    .update(`${method}\n${new URL(url).host}\n/\n${query}`)
    .digest('base64')
  const signed = `${query}&Signature=${encode(signature)}`
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await (method === 'GET'
    ? fetch(`${url}/?${signed}`)
    : fetch(`${url}/`, { method: 'POST', headers, body: signed }))
  return { status: answer.status, text: await answer.text(), headers: answer.headers }
}
