import { monthPeriod } from '../base/period.ts'
import type { Database } from '../database/database.ts'
import type { DueWork } from '../jobs/schedule.ts'
import { closeMonth, monthToClose, type CloseRequest } from './close-month.ts'

/** Every month is due to be closed when it ends, in order. A close that broke off stays due. */
export function monthCloseDue(database: Database, options: Omit<CloseRequest, 'month'> = {}): DueWork {
  const next = async (): Promise<Date | undefined> => {
    const month = await monthToClose(database)
    return month === undefined ? undefined : monthPeriod(month).end
  }
  return {
    name: 'month-close',
    next,
    async run() {
      const now = await database.read((tx) => Promise.resolve(tx.now))
      for (;;) {
        const month = await monthToClose(database)
        if (month === undefined || monthPeriod(month).end > now) return
        const closed = await closeMonth(database, { ...options, month })
        if (!closed.finished) throw new Error(`the close of ${month} ended with accounts open`)
      }
    },
  }
}
