/** The close of a month as a process of its own, so that its memory is nobody else's. */
import type { Month } from '../src/base/period.ts'
import { closeMonth } from '../src/invoices/close-month.ts'
import { ownPeakMemoryMib } from './peak-memory.ts'
import { benchConfig, withDatabase } from './scratch-database.ts'

export interface CloseTask {
  readonly dataFolder: string
  readonly month: Month
  readonly workers: number
}

export type CloseMessage =
  | { readonly done: number; readonly total: number }
  | {
      readonly seconds: number
      readonly cpuSeconds: number
      readonly peakMemoryMib: number
      readonly accounts: number
      readonly parked: number
    }

const tell = (message: CloseMessage): void => void process.send?.(message)

process.once('message', (message) => {
  void close(message as CloseTask).then(() => process.disconnect())
})

async function close({ dataFolder, month, workers }: CloseTask): Promise<void> {
  await withDatabase(benchConfig(dataFolder, { clock: 'manual' }), false, async ({ database }) => {
    const cpuBefore = process.cpuUsage()
    const startedMs = performance.now()
    const closed = await closeMonth(database, { month, workers, report: ({ done, total }) => tell({ done, total }) })
    const seconds = (performance.now() - startedMs) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    const cpuSeconds = (user + system) / 1e6
    tell({ seconds, cpuSeconds, peakMemoryMib: ownPeakMemoryMib(), accounts: closed.done, parked: closed.parked })
  })
}
