import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createTaskPool } from '../database/pool.ts'
import { testDatabase, type TestDatabase } from '../../test/database.ts'
import { Database, type Transaction } from '../database/database.ts'
import { drainTasks, type TaskHandlers } from '../jobs/work.ts'
import type { Mail } from './notices.ts'
import { findMail, listMails } from './read-mailbox.ts'
import { createMailSender, sendMail, type MailSender } from './send-mail.ts'
import { writeMail, type NewMail } from './write-mail.ts'

let house: TestDatabase
let tasks: Pool
beforeAll(async () => {
  house = await testDatabase()
  tasks = createTaskPool(house.address, house.log)
})
afterAll(async () => {
  await tasks.end()
  await house.close()
})

const cleanUps: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
  await house.pool.query('delete from mail')
  await house.pool.query('delete from graphile_worker._private_jobs')
})

const mail: NewMail = {
  reference: 'order:1:confirmed',
  kind: 'purchase-confirmation',
  accountId: '123456789012',
  recipient: 'anna@example.com',
  subject: 'You bought ABC AMI',
  paragraphs: ['Thank you, Zoë.'],
  action: { label: 'Your billing page', url: 'https://turnpike.example/billing' },
}

/** A mail server on the loopback address that keeps what it takes. */
async function mailServer(options: { refuse?: boolean } = {}): Promise<{ url: string; received: string[] }> {
  const received: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        if (options.refuse === true) return done(new Error('no room'))
        received.push(Buffer.concat(parts).toString())
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, received }
}

/** The same database in a deployment with a mail server. */
function withMailServer(smtpUrl: string): { db: Database; sender: MailSender; handlers: TaskHandlers } {
  const { database } = house
  const config = { ...database.config, smtpUrl, mailFrom: 'Turnpike <billing@turnpike.example>' }
  const { pool, clock, sealer, log } = database
  const db = new Database({ pool, clock, sealer, log, config })
  const sender = createMailSender(config, log)
  if (sender === undefined) throw new Error('no sender')
  cleanUps.push(() => sender.close())
  const handlers = {
    'mail.send': ({ mailId }) => sendMail(db, sender, mailId),
  } as Partial<TaskHandlers> as TaskHandlers
  return { db, sender, handlers }
}

const write = (db: Database, more: Partial<NewMail> = {}): Promise<void> =>
  db.transaction((tx) => writeMail(tx, { ...mail, ...more }))

const mailbox = (): Promise<Mail[]> => house.database.read((tx) => listMails(tx, { limit: 100 }))

test('without a mail server the mailbox is the destination', async () => {
  await write(house.database)
  const [written, ...others] = await mailbox()
  expect(others).toEqual([])
  expect(written).toMatchObject({
    reference: 'order:1:confirmed',
    kind: 'purchase-confirmation',
    accountId: '123456789012',
    recipient: 'anna@example.com',
    subject: 'You bought ABC AMI',
    createdAt: new Date('2026-06-01T00:00:00Z'),
  })
  expect(written?.textBody).toContain('Thank you, Zoë.')
  expect(written?.htmlBody).toContain('href="https://turnpike.example/billing"')
  expect(written).not.toHaveProperty('sentAt')
  expect((await house.pool.query('select 1 from graphile_worker.jobs')).rowCount).toBe(0)
})

test('a fact is told once, however many tell it at the same time, and not when it is rolled back', async () => {
  await Promise.all(Array.from({ length: 5 }, (_, index) => write(house.database, { subject: `Told ${index}` })))
  expect(await mailbox()).toHaveLength(1)
  const failing = house.database.transaction(async (tx: Transaction) => {
    await writeMail(tx, { ...mail, reference: 'order:2:confirmed' })
    throw new Error('the order failed')
  })
  await expect(failing).rejects.toThrow('the order failed')
  expect(await mailbox()).toHaveLength(1)
})

test('the mailbox is read in order of writing, in pages, by recipient', async () => {
  for (const index of [1, 2, 3, 4, 5]) {
    const recipient = index % 2 === 0 ? 'Even@example.com' : 'odd@example.com'
    await write(house.database, { reference: `r${index}`, recipient })
  }
  const references = (mails: Mail[]): string[] => mails.map(({ reference }) => reference)
  const read = (page: Parameters<typeof listMails>[1]) => house.database.read((tx) => listMails(tx, page))
  expect(references(await read({ limit: 3 }))).toEqual(['r5', 'r4', 'r3'])
  const before = (await read({ limit: 3 })).at(-1)?.mailId ?? ''
  expect(references(await read({ limit: 3, before }))).toEqual(['r2', 'r1'])
  expect(references(await read({ limit: 9, recipient: ' EVEN@example.com' }))).toEqual(['r4', 'r2'])
  expect(await house.database.read((tx) => findMail(tx, before))).toMatchObject({ reference: 'r3' })
  expect(await house.database.read((tx) => findMail(tx, 'not-an-id'))).toBeUndefined()
  await expect(read({ limit: 3, before: "'" })).rejects.toMatchObject({ code: 'InvalidParameter' })
})

test('a subject is one line, a recipient one address, a link a web page', async () => {
  await write(house.database, { subject: 'ABC\r\nBcc: all@example.com\u0000' })
  expect((await mailbox())[0]?.subject).toBe('ABC Bcc: all@example.com')
  for (const recipient of [
    '',
    'nobody',
    'a@example.com, b@example.com',
    'A <a@example.com>',
    'a@example.com\nBcc: b@c',
  ]) {
    await expect(write(house.database, { reference: 'other', recipient })).rejects.toThrow('one plain address')
  }
  const script = { label: 'Go', url: 'javascript:alert(1)' }
  await expect(write(house.database, { reference: 'other', action: script })).rejects.toThrow('web pages only')
  expect(await mailbox()).toHaveLength(1)
})

test('with a mail server a mail is really sent, once, by its own Message-ID', async () => {
  const { url, received } = await mailServer()
  const { db, sender, handlers } = withMailServer(url)
  await write(db)
  await drainTasks(tasks, handlers, house.log)
  const [sent] = await mailbox()
  expect(sent?.sentAt).toEqual(new Date('2026-06-01T00:00:00Z'))
  expect(received).toHaveLength(1)
  const raw = received[0] ?? ''
  expect(raw).toContain('To: anna@example.com\r\n')
  expect(raw).toContain('From: Turnpike <billing@turnpike.example>\r\n')
  expect(raw).toContain('Subject: You bought ABC AMI\r\n')
  expect(raw).toContain(`Message-ID: <${sent?.mailId}@turnpike.example>\r\n`)
  expect(raw).toContain('Auto-Submitted: auto-generated\r\n')
  expect(raw).toMatch(/Content-Type: text\/plain[\s\S]*Content-Type: text\/html/)

  await sendMail(db, sender, sent?.mailId ?? '')
  expect(received).toHaveLength(1)
})

test('while the mail server is down or refuses, the mail waits and is tried again', async () => {
  const refusing = await mailServer({ refuse: true })
  const first = withMailServer(refusing.url)
  await write(first.db)
  expect(await drainTasks(tasks, first.handlers, house.log)).toEqual({ waiting: 1 })
  expect((await mailbox())[0]).not.toHaveProperty('sentAt')

  const down = withMailServer('smtp://127.0.0.1:1')
  const mailId = (await mailbox())[0]?.mailId ?? ''
  await expect(sendMail(down.db, down.sender, mailId)).rejects.toThrow(/ECONNREFUSED/)

  const { url, received } = await mailServer()
  const again = withMailServer(url)
  await house.pool.query(`update graphile_worker._private_jobs set run_at = now()`)
  expect(await drainTasks(tasks, again.handlers, house.log)).toEqual({ waiting: 0 })
  expect(received).toHaveLength(1)
  expect((await mailbox())[0]?.sentAt).toBeDefined()
})

test('a job left over after the mail server was taken away leaves the mail in the mailbox', async () => {
  await write(house.database)
  const mailId = (await mailbox())[0]?.mailId ?? ''
  expect(createMailSender(house.config, house.log)).toBeUndefined()
  await sendMail(house.database, undefined, mailId)
  expect((await mailbox())[0]).not.toHaveProperty('sentAt')
})
