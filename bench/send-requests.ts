/**
 * Sends requests that are bytes already over connections that are kept open, one request at a time on each. Written for
 * benches that share two processors with what they measure: autocannon, which parses answers in JavaScript and builds every
 * request anew, took more of them than the floor did.
 */
import { connect, type Socket } from 'node:net'

export interface Sent {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds from request to answer, ascending. */
  readonly latencies: readonly number[]
}

/**
 * Ends when the time is over or the requests are used up.
 *
 * @throws Error when an answer is not 200
 */
export async function sendRequests(
  url: string,
  requests: readonly Buffer[],
  of: { connections: number; seconds: number },
): Promise<Sent> {
  const { hostname, port } = new URL(url)
  const sockets = await Promise.all(Array.from({ length: of.connections }, () => open(hostname, Number(port))))
  const latencies: number[] = []
  let next = 0
  const startedMs = performance.now()
  const endsAtMs = startedMs + of.seconds * 1000
  const sendInTurn = async (socket: Socket): Promise<void> => {
    for (;;) {
      const sentMs = performance.now()
      if (sentMs >= endsAtMs) return
      const request = requests[next]
      next += 1
      if (request === undefined) return
      const answer = await ask(socket, request)
      if (!answer.startsWith('HTTP/1.1 200 ')) throw new Error(`a request was refused: ${answer}`)
      latencies.push(performance.now() - sentMs)
    }
  }
  try {
    await Promise.all(sockets.map(sendInTurn))
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  const seconds = (performance.now() - startedMs) / 1000
  return { requests: latencies.length, seconds, latencies: latencies.toSorted((a, b) => a - b) }
}

async function open(host: string, port: number): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    socket.setEncoding('latin1')
    socket.once('error', reject)
    socket.once('connect', () => resolve(socket))
  })
}

/** @returns the whole answer, which has to say its length */
async function ask(socket: Socket, request: Buffer): Promise<string> {
  return await new Promise((resolve, reject) => {
    let answer = ''
    const settle = (finish: () => void): void => {
      socket.removeAllListeners('data').removeAllListeners('close')
      finish()
    }
    socket.on('data', (text: string) => {
      answer += text
      const headEnd = answer.indexOf('\r\n\r\n')
      if (headEnd === -1) return
      const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1]
      if (length === undefined) settle(() => reject(new Error(`an answer does not say its length: ${answer}`)))
      else if (answer.length >= headEnd + 4 + Number(length)) settle(() => resolve(answer))
    })
    socket.on('close', () => settle(() => reject(new Error('the connection was closed under a request'))))
    socket.write(request)
  })
}

/** @param share 0.5 for the median, 0.99 for what one in a hundred exceeds */
export function percentile(ascending: readonly number[], share: number): number {
  const value = ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))]
  if (value === undefined) throw new Error('nothing was measured')
  return value
}
