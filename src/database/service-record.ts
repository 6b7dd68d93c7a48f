/**
 * `service.json` in the data folder: the address that buyers and sellers reach the service at. Commands beside it put it into
 * the links they print and mail. It stays when the service ends: links made meanwhile lead to where it was.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newUuid } from '../base/ids.ts'

const fileName = 'service.json'

export interface ServiceRecord {
  readonly publicUrl: string
}

export function writeServiceRecord(dataFolder: string, record: ServiceRecord): void {
  const path = join(dataFolder, fileName)
  const unfinished = `${path}.${newUuid()}`
  writeFileSync(unfinished, `${JSON.stringify(record)}\n`)
  renameSync(unfinished, path)
}

/** @returns undefined when no service ever ran on the folder */
export function readServiceRecord(dataFolder: string): ServiceRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(dataFolder, fileName), 'utf8')) as Partial<ServiceRecord> | null
    const publicUrl = record?.publicUrl
    return typeof publicUrl === 'string' && URL.canParse(publicUrl) ? { publicUrl } : undefined
  } catch {
    return undefined
  }
}
