import { expect, test } from 'vitest'
import { defaultConfig } from '../../test/database.ts'
import { guardForm } from './form-guard.ts'

const config = { ...defaultConfig(), publicUrl: 'https://turnpike.example/shop' }
const ours = 'https://turnpike.example'

test.each([
  { origin: ours },
  { origin: ours, 'sec-fetch-site': 'same-origin' },
  { origin: 'null', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'same-origin' },
])('lets our own page through: %j', (headers) => {
  expect(() => guardForm(config, headers)).not.toThrow()
  expect(() => guardForm(config, new Headers(headers))).not.toThrow()
})

test.each([
  {},
  { origin: '' },
  { origin: 'null' },
  { origin: 'http://turnpike.example' },
  { origin: 'https://turnpike.example.evil.example' },
  { origin: 'https://turnpike.example:8443' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  { origin: ours, 'sec-fetch-site': 'cross-site' },
  { origin: ours, 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { 'sec-fetch-site': 'cross-site' },
  { referer: `${ours}/shop` },
])('refuses what another site’s page may have sent: %j', (headers) => {
  expect(() => guardForm(config, headers)).toThrow(expect.objectContaining({ code: 'Forbidden' }))
})
