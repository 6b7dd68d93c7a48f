/** What the machinery around the service asks: is the process alive, can it serve. (How it is doing: endpoints/metrics.) */
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import { migrationStatus } from '../database/migrate.ts'

/** Longer than a healthy database takes by far, shorter than the patience of those who ask. */
const patienceMs = 3000

/** @param ready rejects, with a sentence, while the service cannot do its work */
export function addHealthRoutes(server: FastifyInstance, ready: () => Promise<void>): void {
  server.get('/healthz', async (_request, reply) => {
    await reply.type('text/plain').send('alive\n')
  })

  server.get('/readyz', async (request, reply) => {
    try {
      await inTime(ready())
      await reply.type('text/plain').send('ready\n')
    } catch (error) {
      request.log.warn({ err: error }, 'not ready')
      await reply.code(503).type('text/plain').send('not ready\n')
    }
  })
}

/**
 * Resolves when the database answers and has the schema of this release.
 *
 * @throws Error naming what is missing
 */
export async function databaseReady(pool: Pool): Promise<void> {
  const { pending, version, latest } = await migrationStatus(pool)
  if (pending.length > 0) throw new Error(`the database is at migration ${version}, this release needs ${latest}`)
  if (version > latest) throw new Error(`the database is at migration ${version}, this release knows ${latest}`)
}

async function inTime(work: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs)
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
