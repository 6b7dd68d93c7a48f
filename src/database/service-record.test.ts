import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeScratchFolder } from '../../test/scratch-folder.ts'
import { readServiceRecord, writeServiceRecord } from './service-record.ts'

const folder = makeScratchFolder('turnpike-record-')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what was written last is read; what is broken or missing is nothing', () => {
  expect(readServiceRecord(folder)).toBeUndefined()
  writeServiceRecord(folder, { publicUrl: 'http://127.0.0.1:1' })
  writeServiceRecord(folder, { publicUrl: 'https://turnpike.example' })
  expect(readServiceRecord(folder)).toEqual({ publicUrl: 'https://turnpike.example' })
  expect(readdirSync(folder)).toEqual(['service.json'])
  for (const broken of ['', '{"publicUrl":', 'null', '{"publicUrl":7}', '{"publicUrl":"there"}']) {
    writeFileSync(join(folder, 'service.json'), broken)
    expect(readServiceRecord(folder)).toBeUndefined()
  }
})
