/** Identifiers. Their forms are those of the original system (spec §2, §4, §10) and of EC2; randomness is the system's. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A random version 4 UUID, for rows that no wire names. */
export function newUuid(): string {
  return randomUUID()
}

/** Whether text from outside is the id of a row; what is not must never reach a uuid column, which refuses it as a failure. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** An EC2 resource id: prefix, dash, seventeen hex digits, such as `i-0f3a…`. */
export function newEc2Id(prefix: 'ami' | 'i' | 'r' | 'snap' | 'vol' | 'eni' | 'key' | 'bun'): string {
  return `${prefix}-${randomBytes(9).toString('hex').slice(0, 17)}`
}

/** Twelve digits, the first not zero. */
export function newAccountId(): string {
  return String(randomInt(1, 10)) + String(randomInt(100_000_000_000)).padStart(11, '0')
}

/** Eight upper-case hex digits, such as `774F4FF8` (spec §2). */
export function newProductCode(): string {
  return randomBytes(4).toString('hex').toUpperCase()
}

/** Eight upper-case hex digits; part of the purchase URL, never equal to a product code by construction of its use. */
export function newOfferingCode(): string {
  return randomBytes(4).toString('hex').toUpperCase()
}

/** Twenty-eight upper-case base32 characters beginning with `A` (spec §10). */
export function newActivationKey(): string {
  return 'A' + randomText(base32, 27)
}

/** `AKIA` and sixteen base32 characters, the form every AWS client accepts. */
export function newAccessKeyId(): string {
  return 'AKIA' + randomText(base32, 16)
}

/** Forty characters of base64 alphabet without the ones shells and URLs trip over. */
export function newSecretAccessKey(): string {
  return randomText('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 40)
}

function randomText(alphabet: string, length: number): string {
  let text = ''
  for (let index = 0; index < length; index += 1) text += alphabet[randomInt(alphabet.length)]
  return text
}
