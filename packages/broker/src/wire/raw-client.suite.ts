// A client for tests of the network door that does as it is told: sends any bytes, reads replies in the order in which they come, or does not read at all.
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { apiTable } from '@odradek/shared/protocol/api-table'
import { decodeResponse, encodeRequest, peekCorrelationId } from '@odradek/shared/protocol/frame'
import { FrameSplitter } from '@odradek/shared/protocol/frame-splitter'

const FRAME_BYTES_MAX = 2 ** 31 - 1

export class RawClient {
  readonly socket: Socket
  readonly #splitter = new FrameSplitter({ frameBytesMax: FRAME_BYTES_MAX })
  readonly #frames: Uint8Array[] = []
  readonly #readers: ((frame: Uint8Array | null) => void)[] = []
  #correlationId = 0
  /** Resolves when the connection is gone, with whether it was the other side's error. */
  readonly closed: Promise<void>

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => this.#received(chunk))
    socket.on('error', () => undefined)
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        for (const reader of this.#readers.splice(0)) reader(null)
        resolve()
      })
    })
  }

  static async open(address: string, tls?: object): Promise<RawClient> {
    const [host, port] = address.split(':') as [string, string]
    const options = { host, port: Number(port) }
    const socket = tls ? connectTls({ ...options, ...tls }) : connect(options)
    const client = new RawClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', () => resolve())
      socket.once('error', reject)
    })
    return client
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  /** Sends a request; returns its correlation id. */
  async send<A extends ApiName>(api: A, version: number, request: ApiRequest<A>): Promise<number> {
    const { request: message } = await apiTable.find(({ name }) => name === api)!.load()
    const correlationId = ++this.#correlationId
    for (const part of encodeRequest(message, version, { correlationId, clientId: 'raw' }, request as never))
      this.socket.write(part)
    return correlationId
  }

  /** The next reply's bytes; null when the connection was closed instead. */
  frame(): Promise<Uint8Array | null> {
    const frame = this.#frames.shift()
    if (frame) return Promise.resolve(frame)
    if (this.socket.destroyed) return Promise.resolve(null)
    return new Promise(resolve => this.#readers.push(resolve))
  }

  /** The next reply, which must be to the last request sent. */
  async ask<A extends ApiName>(api: A, version: number, request: ApiRequest<A>): Promise<ApiResponse<A>> {
    const correlationId = await this.send(api, version, request)
    const frame = await this.frame()
    if (!frame) throw new Error(`the connection was closed instead of answering ${api}`)
    if (peekCorrelationId(frame) !== correlationId) throw new Error(`${api} was not answered in its turn`)
    const { response } = await apiTable.find(({ name }) => name === api)!.load()
    return decodeResponse(response, version, frame) as ApiResponse<A>
  }

  close(): void {
    this.socket.destroy()
  }

  #received(chunk: Uint8Array): void {
    this.#splitter.push(chunk)
    for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
      const reader = this.#readers.shift()
      if (reader) reader(frame)
      else this.#frames.push(frame)
    }
  }
}
