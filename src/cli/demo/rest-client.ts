/** The REST API, as an account with an access key calls it. */

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export class RestClient {
  readonly #url: string
  readonly #authorization: string

  constructor(serviceUrl: string, { accessKeyId, secretAccessKey }: Credentials) {
    this.#url = `${serviceUrl}/api/v1`
    this.#authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString('base64')}`
  }

  async get<T>(path: string): Promise<T> {
    return await this.#call<T>('GET', path)
  }

  async post<T>(path: string, body?: object): Promise<T> {
    return await this.#call<T>('POST', path, body)
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: this.#authorization, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return JSON.parse(text) as T
  }
}
