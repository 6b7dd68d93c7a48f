/** Secrets at rest: AES-256-GCM under the master key, bound to what they belong to, so that rows cannot be swapped. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

const nonceLengthBytes = 12
const tagLengthBytes = 16

/** Seals and opens secrets with one master key. */
export class Sealer {
  readonly #key: Buffer

  /** @param masterKey exactly 32 bytes */
  constructor(masterKey: Buffer) {
    if (masterKey.length !== 32) throw new Error(`a master key has 32 bytes, this one has ${masterKey.length}`)
    this.#key = masterKey
  }

  /** @param context what the secret belongs to, e.g. its access key id; opening needs the same */
  seal(secret: string, context: string): Buffer {
    const nonce = randomBytes(nonceLengthBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context))
    const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }

  /** @throws Error when the key or the context is another, or the bytes were changed */
  open(sealed: Buffer, context: string): string {
    const nonce = sealed.subarray(0, nonceLengthBytes)
    const tag = sealed.subarray(nonceLengthBytes, nonceLengthBytes + tagLengthBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context)).setAuthTag(tag)
    return decipher.update(sealed.subarray(nonceLengthBytes + tagLengthBytes)).toString('utf8') + decipher.final('utf8')
  }

  /** A key for another purpose, derived from the master key; knowing it tells nothing of the master key. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, '', `turnpike:${purpose}`, 32))
  }

  /** The same for the same master key and for no other; tells nothing of the key. 64 lower-case hexadecimal digits. */
  fingerprint(): string {
    return this.derive('fingerprint').toString('hex')
  }
}

/** The digest under which a token is looked up without being stored. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
