// The listening socket of a listener: accepts within the limits, keeps its connections, drains them at the end.
import { createServer, type Server, type Socket } from 'node:net'
import type { ListenerInput } from '@odradek/shared/contracts/listener.contract'
import { Connection } from './connection.ts'
import type { ListenerRoom } from './listener-room.ts'

const BACKLOG = 511

export class TcpServer {
  readonly #room: ListenerRoom
  readonly #connections = new Set<Connection>()
  readonly #perIp = new Map<string, number>()
  #server: Server | null = null
  #high = 0
  state: 'Opening' | 'Listening' | 'Draining' | 'Closed' = 'Opening'
  address = { host: '', port: 0 }

  constructor(room: ListenerRoom) {
    this.#room = room
  }

  get connections(): number {
    return this.#connections.size
  }

  get connectionsHigh(): number {
    return this.#high
  }

  /** Resolves when it listens; rejects with the platform's error (address in use, no permission). */
  async listen({ host, port, tls }: ListenerInput): Promise<void> {
    const accept = (socket: Socket) => this.#accept(socket)
    const server = tls ? await tlsServer(tls, accept) : createServer({ noDelay: true }, accept)
    this.#server = server
    // A peer that fails its TLS handshake is its own problem.
    server.on('tlsClientError', (_error, socket) => socket.destroy())
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
    await stopped
    this.state = 'Closed'
  }

  /** Ends everything now. */
  destroy(): void {
    this.state = 'Closed'
    this.#server?.close()
    for (const connection of this.#connections) connection.destroy()
  }

  #accept(socket: Socket): void {
    const { limits, counters } = this.#room
    const ip = socket.remoteAddress ?? ''
    const ofIp = this.#perIp.get(ip) ?? 0
    if (
      this.state !== 'Listening' ||
      this.#connections.size >= limits.connectionsMax ||
      ofIp >= limits.connectionsPerIpMax
    ) {
      counters.refused++
      socket.destroy()
      return
    }
    counters.accepted++
    const connection = new Connection(this.#room, socket)
    this.#connections.add(connection)
    this.#perIp.set(ip, ofIp + 1)
    this.#high = Math.max(this.#high, this.#connections.size)
    void connection.closed.then(() => this.#forget(connection, ip))
  }

  #forget(connection: Connection, ip: string): void {
    this.#connections.delete(connection)
    const left = this.#perIp.get(ip)! - 1
    if (left > 0) this.#perIp.set(ip, left)
    else this.#perIp.delete(ip)
  }
}

/** TLS costs a thread several milliseconds to load: only those who use it pay. */
async function tlsServer(tls: NonNullable<ListenerInput['tls']>, accept: (socket: Socket) => void): Promise<Server> {
  const { createServer: createTlsServer } = await import('node:tls')
  return createTlsServer({ ...tls }, accept)
}
