import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { restDocuments } from './generate-rest-doc.ts'

test('the pages about the REST API are current', async () => {
  const documents = await restDocuments()
  expect([...documents.keys()]).toHaveLength(2)
  for (const [path, text] of documents) {
    expect(readFileSync(path, 'utf8'), 'run: node tools/generate-rest-doc.ts').toBe(text)
  }
})
