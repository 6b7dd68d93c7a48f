/**
 * The floor of a launch, as a process of its own: a bare fastify route that verifies the same signature and does one insert
 * in the same database. What the service takes beyond it is its own work.
 */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { verifySignature } from '../src/aws/verify-signature.ts'
import { createLog } from '../src/base/telemetry.ts'
import { attachEmbedded } from '../src/database/embedded.ts'
import { createPool } from '../src/database/pool.ts'
import type { Buyer } from './sign-launches.ts'

process.once('message', (message) => {
  const { dataFolder, buyers } = message as { dataFolder: string; buyers: readonly Buyer[] }
  void serve(dataFolder, buyers)
})

async function serve(dataFolder: string, buyers: readonly Buyer[]): Promise<void> {
  const address = await attachEmbedded(dataFolder)
  if (address === undefined) throw new Error('the database of the bench does not run')
  const pool = createPool(address, createLog('warn'))
  await pool.query(
    'create table if not exists launch_floor (id bigint generated always as identity primary key, request text not null)',
  )
  const secrets = new Map(buyers.map((buyer) => [buyer.accessKeyId, buyer.secretAccessKey]))

  const server = Fastify({ logger: false })
  const formType = 'application/x-www-form-urlencoded'
  server.addContentTypeParser(formType, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.post('/', async (request, reply) => {
    const body = request.body as Buffer
    const verified = await verifySignature(
      { method: request.method, url: request.raw.url ?? '/', rawHeaders: request.raw.rawHeaders, body },
      { nowMs: Date.now(), findSecret: (accessKeyId) => Promise.resolve(secrets.get(accessKeyId)) },
    )
    const token = new Map(verified.parameters).get('ClientToken')
    await pool.query({ name: 'insert', text: 'insert into launch_floor (request) values ($1)', values: [token] })
    return await reply.type('text/xml;charset=UTF-8').send(`<return>${token}</return>`)
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  process.send?.({ url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}` })
}
