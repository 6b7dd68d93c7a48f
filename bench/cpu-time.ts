/** Processor time, which other work on the machine does not stretch as it stretches time. Linux counts it for every process. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { clusterName } from '../src/database/data-folder.ts'

const ticksPerSecond = 100

/** Seconds a process has worked so far, in its own code and for it in the kernel. */
export function cpuSeconds(pid: number): number {
  return statOf(pid)?.seconds ?? 0
}

/** Seconds the PostgreSQL on a data folder has worked so far, its processes that have ended included. */
export function databaseCpuSeconds(dataFolder: string): number {
  const postmaster = Number(readFileSync(join(dataFolder, clusterName, 'postmaster.pid'), 'utf8').split('\n')[0])
  const own = statOf(postmaster)
  let seconds = (own?.seconds ?? 0) + (own?.endedChildrenSeconds ?? 0)
  for (const name of readdirSync('/proc')) {
    const process = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (process?.parent === postmaster) seconds += process.seconds
  }
  return seconds
}

interface Stat {
  readonly parent: number
  readonly seconds: number
  readonly endedChildrenSeconds: number
}

/** @returns undefined when there is no such process */
function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the name, which stands in parentheses and may hold anything: state, parent, …; times are the 12th to 15th.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [parent = 0, user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = [1, 11, 12, 13, 14].map(
      (at) => fields[at],
    )
    return {
      parent,
      seconds: (user + system) / ticksPerSecond,
      endedChildrenSeconds: (childrenUser + childrenSystem) / ticksPerSecond,
    }
  } catch {
    return undefined
  }
}
