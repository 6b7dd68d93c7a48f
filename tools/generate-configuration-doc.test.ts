import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configKeys } from '../src/base/config.ts'
import { configurationDocument, configurationText } from './generate-configuration-doc.ts'

test('the page about the configuration is current', async () => {
  const page = readFileSync(configurationDocument, 'utf8')
  expect(page, 'run: node tools/generate-configuration-doc.ts').toBe(await configurationText())
  for (const [key, { variable }] of Object.entries(configKeys)) {
    expect(page).toContain(`\`${key}\``)
    expect(page).toContain(`\`${variable}\``)
  }
})
