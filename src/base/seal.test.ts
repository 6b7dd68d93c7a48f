import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Sealer } from './seal.ts'

const sealer = new Sealer(randomBytes(32))

test('a sealed secret opens with its key and its context, and with nothing else', () => {
  const sealed = sealer.seal('wJalrXUtnFEMI — ключ', 'AKIA1')
  expect(sealed.includes(Buffer.from('wJalr'))).toBe(false)
  expect(sealer.open(sealed, 'AKIA1')).toBe('wJalrXUtnFEMI — ключ')
  expect(() => sealer.open(sealed, 'AKIA2')).toThrow('unable to authenticate')
  expect(() => new Sealer(randomBytes(32)).open(sealed, 'AKIA1')).toThrow('unable to authenticate')
})

test('every changed byte is noticed', () => {
  const sealed = sealer.seal('secret', 'context')
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(() => sealer.open(changed, 'context')).toThrow('unable to authenticate')
  }
})

test('keys derived for two purposes differ and are stable', () => {
  expect(sealer.derive('sessions')).toEqual(sealer.derive('sessions'))
  expect(sealer.derive('sessions')).not.toEqual(sealer.derive('webhooks'))
  expect(sealer.derive('sessions')).toHaveLength(32)
})

test('a fingerprint tells keys apart and nothing of them', () => {
  const key = randomBytes(32)
  const fingerprint = new Sealer(key).fingerprint()
  expect(fingerprint).toMatch(/^[0-9a-f]{64}$/)
  expect(new Sealer(key).fingerprint()).toBe(fingerprint)
  expect(sealer.fingerprint()).not.toBe(fingerprint)
  expect(fingerprint).not.toBe(key.toString('hex'))
})

test('a master key of another length is refused', () => {
  expect(() => new Sealer(randomBytes(16))).toThrow('32 bytes')
})
