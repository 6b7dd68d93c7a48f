/** A data folder with buyers, sellers and machines in it, made once and copied, for stories in which processes are killed. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createAccessKey } from '../src/accounts/create-access-key.ts'
import { grantOperator } from '../src/accounts/grant-operator.ts'
import { loadConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/telemetry.ts'
import { verifyBankAccount } from '../src/accounts/verify-bank-account.ts'
import { runInstances } from '../src/instances/run-instances.ts'
import { startService } from '../src/main.ts'
import { booksOf } from './books-summary.ts'
import { decliningCard, goodCard, proveBooks, Town, type Person } from './house.ts'
import { callerOf, newPaidImage, region } from './machines.ts'
import { enterCard, order } from './orders.ts'
import { newAccount, newProduct, sampleProduct } from './products.ts'
import { makeScratchFolder } from './scratch-folder.ts'
import { DataFolder } from './service-process.ts'

const clockStart = '2026-06-10T00:00:00Z'

export interface PreparedBooks {
  readonly operator: Person
  /** Copies the folder to another, which must not exist yet. */
  copyTo(folder: string): void
  remove(): void
}

/**
 * Buyers of a product with a monthly charge and of one with none, each with a machine that runs on; a third of the second
 * kind have a card that declines every charge. The clock stands at 10 June 2026.
 */
export async function prepareBooks(buyers: number): Promise<PreparedBooks> {
  const parent = makeScratchFolder('turnpike-prepared-')
  const folder = join(parent, 'data')
  const config = loadConfig({ dataFolder: folder, port: 0, clock: 'manual', clockStart }, {})
  const service = await startService(config, createLog('silent'))
  const { database, processor } = service
  const charging = await newProduct(database)
  // Nothing is due at the sign-up, so that a card which declines every charge gets as far as the first bill.
  const usageOnly = await newProduct(database, { price: { rates: sampleProduct().price.rates } })
  for (const { sellerAccountId } of [charging, usageOnly]) {
    await database.transaction((tx) => verifyBankAccount(tx, { sellerAccountId, actor: 'system' }))
  }
  for (let count = 0; count < buyers; count += 1) {
    const { product } = count % 2 === 0 ? charging : usageOnly
    const accountId = await newAccount(database, 'Buyer')
    await enterCard(database, processor, accountId, count % 6 === 5 ? decliningCard : goodCard)
    await order(database, accountId, product)
    await service.drain()
    const { imageId } = await newPaidImage(database, product)
    const request = { caller: callerOf(accountId), region, imageId, minCount: 1, maxCount: 1 }
    await database.transaction((tx) => runInstances(tx, request))
  }
  await service.drain()
  const accountId = await newAccount(database, 'Operator')
  const key = await database.transaction(async (tx) => {
    await grantOperator(tx, { accountId, actor: 'system' })
    return await createAccessKey(tx, { accountId, actor: 'system' })
  })
  await service.close()
  const { accessKeyId, secretAccessKey } = key
  return {
    operator: { accountId, accessKeyId, secretAccessKey, email: '', password: '' },
    copyTo(other) {
      execFileSync('cp', ['-a', folder, other])
    },
    remove: () => rmSync(parent, { recursive: true, force: true }),
  }
}

type Books = Awaited<ReturnType<typeof booksOf>>

/** What came of moving the clock without killing anything. */
export interface Moved {
  readonly books: Books
  /** How long each move took. */
  readonly stepMs: readonly number[]
}

/** Moves the clock of a copy from stop to stop: what the killed ones are compared with, and when to kill them. */
export async function moveUnkilled(prepared: PreparedBooks, stops: readonly string[]): Promise<Moved> {
  const folder = new DataFolder()
  prepared.copyTo(folder.path)
  const service = await folder.serve()
  const town = new Town(service.url, prepared.operator)
  const stepMs: number[] = []
  for (const to of stops) {
    const began = performance.now()
    await town.advance(to)
    stepMs.push(performance.now() - began)
  }
  const books = await booksBeside(folder)
  await service.end('SIGTERM')
  await folder.remove()
  return { books, stepMs }
}

/** The proven books of a running service. */
export async function booksBeside(folder: DataFolder): Promise<Books> {
  const house = await folder.beside()
  try {
    await proveBooks(house.database)
    return await booksOf(house.database.pool)
  } finally {
    await house.close()
  }
}
