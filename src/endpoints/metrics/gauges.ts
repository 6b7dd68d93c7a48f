/** How the business is doing, as numbers that are read from the database when they are asked for. */
import { Gauge, type Registry } from 'prom-client'
import type { Database, Transaction } from '../../database/database.ts'
import type { DueWork } from '../../jobs/schedule.ts'
import { countInstances, countLaunches, countMoneyUnderWay, countParked, countTasks, limitStatements } from './store.ts'

export interface MetricsHouse {
  readonly database: Database
  readonly due: readonly DueWork[]
}

const statementMsMax = 1000
/** Several servers that scrape cost the database no more than one. */
const gaugesAgeMsMax = 1000

interface Reading {
  read(): Promise<void>
  /** Leaves the gauge out: a zero would say that all is well. */
  forget(): void
}

/** @returns reads the gauges anew when they are old; one that cannot be read is left out, and counted as missing */
export function addGauges(house: MetricsHouse, registry: Registry): () => Promise<void> {
  const missing = new Gauge({
    name: 'turnpike_gauges_missing',
    help: 'Gauges that could not be read in time and are left out.',
    registers: [registry],
  })
  const readings = readingsOf(house, registry)
  const readAll = async (): Promise<void> => {
    let failed = 0
    for (const one of readings) {
      try {
        await one.read()
      } catch (error) {
        failed += 1
        one.forget()
        house.database.log.warn({ err: error }, 'a gauge could not be read')
      }
    }
    missing.set(failed)
  }
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  return async () => {
    if (performance.now() - readAtMs < gaugesAgeMsMax) return
    await (reading ??= readAll().finally(() => {
      reading = undefined
      readAtMs = performance.now()
    }))
  }
}

function readingsOf({ database, due }: MetricsHouse, registry: Registry): Reading[] {
  const add = (
    name: string,
    help: string,
    labelNames: string[],
    read: (tx: Transaction, gauge: Gauge) => Promise<void>,
  ): Reading => {
    const gauge = new Gauge({ name: `turnpike_${name}`, help, labelNames, registers: [registry] })
    return {
      forget() {
        gauge.reset()
        if (labelNames.length === 0) gauge.remove()
      },
      read: () =>
        database.read(async (tx) => {
          await limitStatements(tx, statementMsMax)
          await read(tx, gauge)
        }),
    }
  }
  return [
    add(
      'tasks',
      'Follow-up tasks: waiting, running, retrying after a failure, failed for good.',
      ['state'],
      async (tx, gauge) => setStates(gauge, ['waiting', 'running', 'retrying', 'failed'], await countTasks(tx)),
    ),
    add('instances', 'Instances that are neither stopped nor terminated.', ['state'], async (tx, gauge) =>
      setStates(gauge, ['pending', 'running', 'stopping', 'shutting-down'], await countInstances(tx)),
    ),
    add('launches', 'Instances launched since ever.', [], async (tx, gauge) => gauge.set(await countLaunches(tx))),
    add('money_under_way', 'Bills, attempts, settlements and payouts not finished.', ['state'], async (tx, gauge) =>
      setStates(gauge, [], await countMoneyUnderWay(tx)),
    ),
    add(
      'accounts_parked',
      'Accounts parked in the latest close of a month: a person has to look.',
      [],
      async (tx, gauge) => gauge.set(await countParked(tx)),
    ),
    add(
      'due_work_lag_seconds',
      'How long the earliest work of each kind has been due.',
      ['work'],
      async (tx, gauge) => {
        for (const work of due) gauge.set({ work: work.name }, lagOf(tx.now, await work.next()))
      },
    ),
  ]
}

/** @param states shown as zero where no row has them */
function setStates(gauge: Gauge, states: readonly string[], rows: readonly { state: string; count: number }[]): void {
  for (const state of states) gauge.set({ state }, 0)
  for (const { state, count } of rows) gauge.set({ state }, count)
}

function lagOf(now: Date, at: Date | undefined): number {
  return at === undefined ? 0 : Math.max(0, (now.getTime() - at.getTime()) / 1000)
}
