import { readFileSync } from 'node:fs'

/** The most memory a running process has had resident, MiB: Linux counts it for every process (VmHWM). */
export function peakMemoryMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kib === undefined) throw new Error(`/proc/${pid}/status names no peak of memory`)
  return Number(kib) / 1024
}

/** The same of this process, on any system. */
export function ownPeakMemoryMib(): number {
  return process.resourceUsage().maxRSS / 1024
}
