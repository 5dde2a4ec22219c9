// The listening socket of a listener: accepts within the limits, keeps its connections, drains them at the end.
import { createServer, type Server, type Socket } from 'node:net'
import { loading } from '@odradek/shared/base/loading'
import type { ListenerInput } from '@odradek/shared/contracts/listener.contract'
import { Connection } from './connection.ts'
import type { ListenerRoom } from './listener-room.ts'

const BACKLOG = 511

export class TcpServer {
  readonly #room: ListenerRoom
  readonly #connections = new Set<Connection>()
  readonly #perIp = new Map<string, number>()
  /** All that were admitted, those in a TLS handshake included. */
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  #high = 0
  state: 'Opening' | 'Listening' | 'Draining' | 'Closed' = 'Opening'
  address = { host: '', port: 0 }

  constructor(room: ListenerRoom) {
    this.#room = room
  }

  get connections(): number {
    return this.#sockets.size
  }

  get connectionsHigh(): number {
    return this.#high
  }

  /** Resolves when it listens; rejects with the platform's error (address in use, no permission). */
  async listen({ host, port, tls }: ListenerInput): Promise<void> {
    // Half open: a client that ends its side first is still owed its replies.
    const server = tls ? await tlsServer(tls) : createServer({ noDelay: true, allowHalfOpen: true })
    this.#server = server
    if (tls) {
      server.on('connection', socket => this.#admit(socket))
      server.on('secureConnection', socket => this.#serve(socket))
      // A peer that fails its TLS handshake is its own problem.
      server.on('tlsClientError', (_error, socket) => this.#handshakeFailed(socket))
    } else server.on('connection', socket => this.#admit(socket) && this.#serve(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    server.on('error', error => this.#room.context.log.error({ error: error.message }, 'listener'))
    const bound = server.address() as { address: string; port: number }
    this.address = { host: bound.address, port: bound.port }
    this.state = 'Listening'
  }

  /** Stops accepting, lets owed replies leave for at most `drainMs`, then ends what is left. */
  async close(drainMs: number): Promise<void> {
    if (this.state !== 'Listening') return
    this.state = 'Draining'
    const stopped = new Promise(resolve => (this.#server ? this.#server.close(resolve) : resolve(null)))
    for (const connection of this.#connections) connection.end('the listener closes')
    const timer = this.#room.context.clock.after(drainMs, () => {
      for (const connection of this.#connections) connection.destroy()
    })
    await Promise.all([...this.#connections].map(({ closed }) => closed))
    timer.cancel()
    for (const socket of this.#sockets) socket.destroy()
    await stopped
    this.state = 'Closed'
  }

  /** Ends everything now. */
  destroy(): void {
    this.state = 'Closed'
    this.#server?.close()
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #handshakeFailed(socket: Socket): void {
    this.#room.counters.malformed++
    socket.destroy()
  }

  /** Counts a socket from its first moment (a TLS handshake may take long), or refuses it. */
  #admit(socket: Socket): boolean {
    const { limits, counters } = this.#room
    const ip = socket.remoteAddress ?? ''
    const ofIp = this.#perIp.get(ip) ?? 0
    if (
      this.state !== 'Listening' ||
      this.#sockets.size >= limits.connectionsMax ||
      ofIp >= limits.connectionsPerIpMax
    ) {
      counters.refused++
      socket.destroy()
      return false
    }
    counters.accepted++
    this.#sockets.add(socket)
    this.#perIp.set(ip, ofIp + 1)
    this.#high = Math.max(this.#high, this.#sockets.size)
    socket.once('close', () => this.#release(socket, ip))
    return true
  }

  #serve(socket: Socket): void {
    if (socket.destroyed) return
    const connection = new Connection(this.#room, socket)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
  }

  #release(socket: Socket, ip: string): void {
    this.#sockets.delete(socket)
    const left = this.#perIp.get(ip)! - 1
    if (left > 0) this.#perIp.set(ip, left)
    else this.#perIp.delete(ip)
  }
}

/** Longest that a TLS handshake may take. Milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** TLS costs a thread several milliseconds to load: only those who use it pay. */
async function tlsServer(tls: NonNullable<ListenerInput['tls']>): Promise<Server> {
  const { createServer: createTlsServer } = await loading(() => import('node:tls'))
  return createTlsServer({ handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ...tls })
}
