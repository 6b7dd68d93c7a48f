/** Where tests put what is gone after them. */
import { mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder, closed to others. Its maker removes it. */
export function makeScratchFolder(prefix: string): string {
  return mkdtempSync(join(scratchParent(), prefix))
}

/** Memory where there is plenty: on a busy disk cloning a database took 200 ms and more, in memory 13 ms. Containers often have 64 MiB. */
export function scratchParent(): string {
  const memory = '/dev/shm'
  const neededBytes = 2 * 1024 ** 3
  try {
    const { bavail, bsize } = statfsSync(memory)
    if (bavail * bsize >= neededBytes) return memory
  } catch {
    // Not Linux.
  }
  return tmpdir()
}
